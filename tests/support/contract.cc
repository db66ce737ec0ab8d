#include "tests/support/contract.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "schemas/wire/codec.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/field_tables.h"
#include "schemas/wire/queries.h"
#include "schemas/wire/symbols.h"

namespace registry::test {
namespace {

// Stem of the schema that data of this type must hold to; empty when the catalogue has no such type.
std::string SchemaOfType(const std::string& type) {
  using Kind = wire::MessageName::Kind;
  for (const wire::MessageName& name : wire::Catalogue()) {
    const bool is_it = (name.kind == Kind::kReply && type == wire::AcceptedType(name.name)) ||
                       (name.kind == Kind::kAction && type == wire::DoType(name.name)) ||
                       (name.kind == Kind::kNotification && type == wire::EventType(name.name));
    if (is_it) return std::string(name.schema);
  }
  return type.ends_with(".rejected") ? "error" : "";  // of any command, even one that does not exist
}

void ExpectSymbolForParties(const nlohmann::json& error) {
  const auto is_it = [&](const wire::SymbolRow& row) { return row.symbol == error.at("symbol"); };
  const auto row = std::find_if(wire::Symbols().begin(), wire::Symbols().end(), is_it);
  ASSERT_NE(row, wire::Symbols().end()) << error;
  EXPECT_EQ(error.at("code"), static_cast<int>(row->code)) << error;
  EXPECT_NE(row->said, wire::SymbolRow::Said::kOperator) << error << " is not for parties";
}

}  // namespace

void ExpectContract(const std::string& payload) {
  const auto envelope = wire::DecodeReply(payload);
  ASSERT_TRUE(envelope) << envelope.error().symbol << " at " << envelope.error().field << ": " << payload;
  EXPECT_EQ(wire::EncodeEnvelope(*envelope), payload) << "not canonical";
  const std::string schema = SchemaOfType(envelope->type);
  ASSERT_NE(schema, "") << envelope->type << " is not in the catalogue";
  const auto data = wire::Recode(schema, envelope->data);
  ASSERT_TRUE(data) << data.error().symbol << " at " << data.error().field << ": " << payload;
  EXPECT_EQ(*data, envelope->data) << "not canonical";
  if (schema == "error") ExpectSymbolForParties(envelope->data);
}

}  // namespace registry::test
