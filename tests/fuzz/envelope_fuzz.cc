// Attacked: the CloudEvents envelope of whatever comes from the broker, and the command in it.
// A fault: a crash; an envelope that was taken and does not come back the same from its own encoding; an id that is in the
// envelope and is not found without reading the rest, so that a rejection would name no cause.
#include "schemas/base/check.h"
#include "schemas/wire/codec.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/field_tables.h"
#include "tests/fuzz/input.h"

namespace registry::wire {
namespace {

void TryCommand(const Envelope& envelope) {
  for (const MessageName& name : Catalogue()) {
    if (name.kind != MessageName::Kind::kCommand || !CheckCommandType(envelope, name.name)) continue;
    const auto command = Recode(name.schema, envelope.data);
    REG_CHECK(command.ok() || !command.error().symbol.empty());
  }
}

}  // namespace
}  // namespace registry::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace registry::wire;
  const auto text = registry::fuzz::AsText(data, size);
  const auto id = FindEventId(text);
  const auto envelope = DecodeEnvelope(text);
  if (!envelope) return 0;
  REG_CHECK(id == envelope->id);
  const std::string encoded = EncodeEnvelope(*envelope);
  const auto again = DecodeEnvelope(encoded);
  REG_CHECK(again.ok());
  REG_CHECK(EncodeEnvelope(*again) == encoded);
  TryCommand(*envelope);
  return 0;
}
