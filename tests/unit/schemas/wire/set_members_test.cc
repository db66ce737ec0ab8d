// Members set in the text of a JSON object, beside the same by parsing and writing.
#include "schemas/wire/set_members.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

namespace registry::wire {
namespace {

using nlohmann::json;

std::string ByParsing(const std::string& object, const std::vector<MemberText>& members) {
  json parsed = json::parse(object);
  for (const MemberText& member : members) parsed[std::string(member.name)] = json::parse(member.value);
  return parsed.dump();
}

TEST(SetMembers, ReplacesWhatIsThereAndAddsWhatIsNot) {
  EXPECT_EQ(SetMembers(R"({"attempt":1,"cms":"x","deadline":"then"})",
                       {{"attempt", "12"}, {"deadline", R"("now")"}}),
            R"({"attempt":12,"cms":"x","deadline":"now"})");
  EXPECT_EQ(SetMembers("{}", {{"a", "1"}, {"b", "2"}}), R"({"a":1,"b":2})");
  EXPECT_EQ(SetMembers(R"({"b":[]})", {{"a", "1"}, {"c", "2"}}), R"({"a":1,"b":[],"c":2})");
  EXPECT_EQ(SetMembers(R"({"b":{"b":1}})", {}), R"({"b":{"b":1}})");
}

TEST(SetMembers, WhatStandsInsideAnotherMemberIsNotMeant) {
  const std::string object =
      json{{"a", R"(","deadline":"inside)"}, {"b", {{"deadline", "deeper"}}}, {"deadline", "old"}}.dump();
  const std::vector<MemberText> members{{"deadline", R"("new")"}};
  EXPECT_EQ(SetMembers(object, members), ByParsing(object, members));
}

RC_GTEST_PROP(SetMembers, GivesWhatParsingAndWritingGives,
              (const std::map<std::string, std::string>& texts)) {
  json object = json::object();
  for (const auto& [name, text] : texts) {
    const auto printable = [](std::string of) {
      for (char& c : of) c = static_cast<char>(' ' + static_cast<unsigned char>(c) % 95);
      return of;
    };
    const std::string value = printable(text);
    object[printable(name)] = value.size() % 3 == 0 ? json(value) : json::array({value, {{value, 7}}});
  }
  const std::vector<MemberText> members{{"attempt", "3"}, {"deadline", R"("2026-11-29T12:00:00Z")"}};
  RC_ASSERT(SetMembers(object.dump(), members) == ByParsing(object.dump(), members));
}

}  // namespace
}  // namespace registry::wire
