// The text of JSON values, beside what nlohmann writes.
#include "schemas/wire/json_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace registry::wire {
namespace {

using nlohmann::json;

std::string Dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

TEST(JsonText, EveryOctetAtEveryPlace) {
  for (std::size_t size = 1; size <= 17; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int octet = 0; octet < 256; ++octet) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(octet);
        ASSERT_EQ(JsonText(json(text)), Dumped(json(text))) << size << " octets, " << octet << " at " << at;
      }
    }
  }
}

TEST(JsonText, EveryKindOfValue) {
  const json every = {{"", nullptr},
                      {"array", json::array({1, -2, 3.5, true, json::object(), json::array()})},
                      {"big", std::uint64_t{1} << 63},
                      {"na\"me", "\u00e4\\\x7f"},
                      {"nested", {{"a", {{"b", json::array({"c"})}}}}}};
  EXPECT_EQ(JsonText(every), Dumped(every));
  for (const auto& [name, value] : every.items()) EXPECT_EQ(JsonText(value), Dumped(value)) << name;
}

RC_GTEST_PROP(JsonText, IsWhatNlohmannWrites,
              (const std::map<std::string, std::vector<std::string>>& texts)) {
  json value = json::object();
  for (const auto& [name, items] : texts) value[name] = items;
  RC_ASSERT(JsonText(value) == Dumped(value));
}

}  // namespace
}  // namespace registry::wire
