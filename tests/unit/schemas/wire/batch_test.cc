// A batch comes apart into exactly the envelopes that a JSON parser finds in it, or not at all.
#include "schemas/wire/batch.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

namespace registry::wire {
namespace {

using nlohmann::json;
using Items = std::vector<std::string_view>;

std::string SymbolOf(const std::string& payload) {
  const auto items = SplitBatch(payload);
  return items ? "" : items.error().symbol;
}

TEST(Batch, ComesApartInOrder) {
  EXPECT_EQ(*SplitBatch(R"([{"a":1}])"), (Items{R"({"a":1})"}));
  EXPECT_EQ(*SplitBatch(" [ {\"a\":[1,{\"b\":\"]}\\\"\"}]} ,\n{} , 7, \"x,\" ] "),
            (Items{"{\"a\":[1,{\"b\":\"]}\\\"\"}]}", "{}", "7", "\"x,\""}));
}

TEST(Batch, WhatIsNoneIsRefusedByName) {
  for (const char* text : {"", "{}", "{\"id\":\"a\"}", "null", "x", "}"}) {
    EXPECT_EQ(SymbolOf(text), "not_an_array") << text;
  }
  for (const char* text :
       {"[", "[]]", "[{}", "[{},]", "[,{}]", "[{}{}]", "[{}] x", "[{]", "[\"a]", "[[{}]", "[] []"}) {
    EXPECT_EQ(SymbolOf(text), "bad_json") << text;
  }
  EXPECT_EQ(SymbolOf("[]"), "batch_empty");
  EXPECT_EQ(SymbolOf(" [ ] "), "batch_empty");
  EXPECT_EQ(SymbolOf("\xef\xbb\xbf[{}]"), "byte_order_mark");
}

std::string Of(std::size_t items) {
  BatchWriter writer;
  for (std::size_t i = 0; i < items; ++i) writer.Add("{}");
  return std::move(writer).Take();
}

TEST(Batch, TakesAThousandItemsAndOneMebibyteAndNoMore) {
  EXPECT_EQ(SplitBatch(Of(kBatchItemsMax))->size(), kBatchItemsMax);
  EXPECT_EQ(SymbolOf(Of(kBatchItemsMax + 1)), "batch_too_long");
  std::string large = "[{}]";
  large.append(kBatchOctetsMax - large.size(), ' ');
  EXPECT_EQ(SymbolOf(large), "");
  EXPECT_EQ(SymbolOf(large + " "), "batch_too_large");
}

// A broken item costs the others nothing as long as its brackets and strings close.
TEST(Batch, ABadItemIsFoundWhole) {
  const auto items = SplitBatch(R"([{"id":"1"},{"id":tru, "x" 1},{"id":"3"}])");
  ASSERT_TRUE(items.ok());
  EXPECT_EQ((*items)[1], R"({"id":tru, "x" 1})");
}

json AnyValue(int depth) {
  const int kind = *rc::gen::inRange(0, depth > 0 ? 6 : 4);
  switch (kind) {
    case 0:
      return *rc::gen::arbitrary<int>();
    case 1:
      return *rc::gen::arbitrary<bool>();
    case 2:
      return nullptr;
    case 3:
      return *rc::gen::container<std::string>(
          rc::gen::element(' ', '"', '\\', '[', ']', '{', '}', ',', ':', 'a'));
    default:
      break;
  }
  json value = kind == 4 ? json::array() : json::object();
  const int members = *rc::gen::inRange(0, 4);
  for (int i = 0; i < members; ++i) {
    if (kind == 4) {
      value.push_back(AnyValue(depth - 1));
    } else {
      value[std::to_string(i)] = AnyValue(depth - 1);
    }
  }
  return value;
}

RC_GTEST_PROP(Batch, IsWhatAParserFinds, ()) {
  json whole = json::array();
  const int count = *rc::gen::inRange(1, 6);
  for (int i = 0; i < count; ++i) whole.push_back(AnyValue(3));
  const std::string text = whole.dump(*rc::gen::element(-1, 0, 2));
  const auto items = SplitBatch(text);
  RC_ASSERT(items.ok());
  RC_ASSERT(items->size() == whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) RC_ASSERT(json::parse((*items)[i]) == whole[i]);
}

}  // namespace
}  // namespace registry::wire
