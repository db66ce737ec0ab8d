// The table of commands: one row for each command of the wire catalogue, and what each row says.
#include "bridge/ingest/commands.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "schemas/base/check.h"

namespace registry::ingest {
namespace {

using nlohmann::json;
using wire::MessageName;

std::vector<MessageName> CommandsOfTheCatalogue() {
  std::vector<MessageName> commands;
  for (const MessageName& name : wire::Catalogue()) {
    if (name.kind == MessageName::Kind::kCommand) commands.push_back(name);
  }
  return commands;
}

PartyId Party(const char* text) { return *PartyId::Parse(text); }

std::size_t LaneOf(std::string_view command, const json& data, const char* sender) {
  const CommandRow* row = FindCommand(command);
  const auto asked = row->decode(data);
  REG_CHECK(asked.ok());
  return row->lane(*asked, Party(sender));
}

TEST(Commands, EveryCommandOfTheCatalogueHasOneRowAndEveryRowIsThere) {
  std::multiset<std::string_view> rows, catalogue;
  for (const CommandRow& row : Commands()) rows.insert(row.name);
  for (const MessageName& name : CommandsOfTheCatalogue()) catalogue.insert(name.name);
  EXPECT_EQ(rows, catalogue) << "bridge/ingest/commands.cc and schemas/wire/message_lists.h";
  EXPECT_EQ(rows.size(), std::set<std::string_view>(rows.begin(), rows.end()).size());
}

TEST(Commands, WhoMaySendOneIsWhatTheCatalogueSays) {
  for (const MessageName& name : CommandsOfTheCatalogue()) {
    const CommandRow* row = FindCommand(name.name);
    ASSERT_NE(row, nullptr) << name.name;
    EXPECT_EQ(row->name, name.name);
    EXPECT_EQ(row->roles, name.roles) << name.name;
    EXPECT_FALSE(row->roles.empty()) << name.name;
  }
}

TEST(Commands, WhatIsNoCommandHasNoRow) {
  for (const char* name : {"", "device", "device.state", "key.generate", "Device.get"}) {
    EXPECT_EQ(FindCommand(name), nullptr) << name;
  }
}

// One of those that the interface shows.
json ExampleOf(std::string_view command) {
  const std::filesystem::path folder = REGISTRY_SOURCE_DIR "/schemas/examples";
  const std::filesystem::directory_iterator valid(folder / command / "valid");
  std::ifstream file(valid->path());
  return json::parse(file);
}

// A row under the name of another command would decode one struct and decide another.
TEST(Commands, WhatARowDecodesIsWhatItDecides) {
  for (const CommandRow& row : Commands()) {
    const auto asked = row.decode(ExampleOf(row.name));
    ASSERT_TRUE(asked.ok()) << row.name << ": " << asked.error().message;
    EXPECT_EQ(std::holds_alternative<wire::Query>(*asked), row.way == Way::kReads) << row.name;
    EXPECT_NO_THROW(row.lane(*asked, Party("asp-a"))) << row.name;
  }
}

TEST(Commands, WhatIsWrongInOneIsSaidByItsDecoder) {
  for (const CommandRow& row : Commands()) {
    const auto refused = row.decode(json::array());
    ASSERT_FALSE(refused.ok()) << row.name;
    EXPECT_EQ(refused.error().symbol, "wrong_type") << row.name;
  }
}

TEST(Commands, WhatIsSaidOfOneDeviceTakesOneLaneWhoeverSaysIt) {
  const json attach = ExampleOf("device.attach");
  const json device = {{"device", attach.at("device")}};
  const std::size_t lane = LaneOf("device.attach", attach, "mno-a");
  EXPECT_EQ(LaneOf("device.get", device, "asp-a"), lane);
  EXPECT_EQ(LaneOf("device.trace", device, "operator"), lane);
  EXPECT_EQ(LaneOf("device.delete", device, "asp-a"), lane);
  json report = ExampleOf("do.result");
  report["device"] = attach.at("device");
  EXPECT_EQ(LaneOf("do.result", report, "mno-b"), lane);
}

TEST(Commands, WhatAPartySaysOfItselfTakesItsLane) {
  const std::size_t lane = LaneOf("feed.ack", ExampleOf("feed.ack"), "asp-a");
  EXPECT_EQ(LaneOf("feed.replay", ExampleOf("feed.replay"), "asp-a"), lane);
  EXPECT_EQ(LaneOf("endpoint.publish", ExampleOf("endpoint.publish"), "asp-a"), lane);
  EXPECT_EQ(LaneOf("device.list", json::object(), "asp-a"), lane);
  EXPECT_NE(LaneOf("feed.ack", ExampleOf("feed.ack"), "asp-b"), lane);
}

TEST(Commands, TheSameEsimIsRegisteredInOneLaneWhoeverDoesIt) {
  const json esim = ExampleOf("esim.register");
  EXPECT_EQ(LaneOf("esim.register", esim, "mno-a"), LaneOf("esim.register", esim, "mno-b"));
}

TEST(Commands, ReadsCountAsReads) {
  for (const CommandRow& row : Commands()) {
    EXPECT_EQ(row.way == Way::kReads, row.limit == LimitClass::kRead) << row.name;
  }
  EXPECT_EQ(FindCommand("device.claim")->limit, LimitClass::kAuthorise);
  EXPECT_EQ(FindCommand("feed.replay")->limit, LimitClass::kBulk);
  EXPECT_EQ(FindCommand("device.delete")->limit, LimitClass::kWrite);
}

}  // namespace
}  // namespace registry::ingest
