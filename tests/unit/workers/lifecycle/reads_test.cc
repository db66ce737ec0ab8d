// Reads: what a party is told of its devices, and that nothing is kept of it.
#include <gtest/gtest.h>

#include "tests/support/device_maker.h"
#include "tests/unit/workers/lifecycle/flow.h"

namespace registry::test {
namespace {

Said Get(TestRegistry& registry, const std::string& party, const std::string& device) {
  return registry.Ask(party, "device.get", {{"device", device}});
}

std::vector<std::string> Listed(const Said& said) {
  std::vector<std::string> ids;
  EXPECT_TRUE(said.accepted()) << said.payload;
  for (const auto& device : said.data().value("devices", json::array())) ids.push_back(device.at("device"));
  return ids;
}

TEST(Reads, ADeviceIsToldToItsPartiesAndItsIdentifiersToTheSponsorAlone) {
  TestRegistry registry;
  const std::string device = registry.Activate();
  const Said mno = Get(registry, "mno-a", device), asp = Get(registry, "asp-a", device),
             all = Get(registry, "operator", device);
  EXPECT_EQ(mno.topic, "registry/v1/to/mno-a/device.get/accepted");
  for (const Said& said : {mno, asp, all}) {
    ASSERT_TRUE(said.accepted()) << said.payload;
    EXPECT_EQ(said.data().at("state"), "active");
    EXPECT_EQ(said.data().at("endpoint"), "main");
    EXPECT_TRUE(said.data().contains("notAfter"));
  }
  EXPECT_TRUE(mno.data().contains("eid") && mno.data().contains("iccid"));
  EXPECT_FALSE(asp.data().contains("eid") || asp.data().contains("iccid"));
  EXPECT_FALSE(all.data().contains("eid") || all.data().contains("iccid"));
}

TEST(Reads, AnUnknownDeviceAndSomebodyElsesGetTheSameAnswer) {
  TestRegistry registry;
  const std::string device = registry.Activate(), nobodys = "00000000-0000-4000-8000-000000000000";
  for (const char* command : {"device.get", "device.trace"}) {
    const json unknown = registry.Ask("asp-b", command, {{"device", nobodys}}).data();
    EXPECT_EQ(unknown.at("symbol"), "device_unknown");
    for (const char* party : {"asp-b", "mno-b"}) {
      EXPECT_EQ(registry.Ask(party, command, {{"device", device}}).data(), unknown) << party;
    }
  }
  EXPECT_TRUE(Listed(registry.Ask("asp-b", "device.list", json::object())).empty());
  EXPECT_TRUE(Listed(registry.Ask("mno-b", "device.list", {{"state", "active"}})).empty());
  EXPECT_TRUE(Listed(registry.Ask("asp-b", "device.list", {{"endpoint", "main"}})).empty());
  EXPECT_TRUE(
      Listed(registry.Ask("asp-b", "device.list", {{"expiresBefore", "2099-01-01T00:00:00Z"}})).empty());
}

TEST(Reads, LeaveNothingBehindAndAreExecutedAgain) {
  TestRegistry registry;
  const std::string device = registry.Register().device;
  const auto last = *registry.ledger().OutboxLast(ledger::Sink::kMqtt);
  ASSERT_TRUE(registry.Ask("mno-a", "device.get", {{"device", device}}, "the-same").accepted());
  EXPECT_FALSE(registry.Ask("mno-a", "device.get", {{"device", "nonsense"}}, "wrong").accepted());
  EXPECT_EQ(*registry.ledger().OutboxLast(ledger::Sink::kMqtt), last);
  for (const char* id : {"the-same", "wrong"}) {
    EXPECT_FALSE(registry.ledger().FindEvent(*PartyId::Parse("mno-a"), *EventId::Parse(id))->has_value())
        << id;
  }
  ASSERT_TRUE(Attach(registry, device).accepted());
  const Said again = registry.Ask("mno-a", "device.get", {{"device", device}}, "the-same");
  EXPECT_EQ(again.data().at("state"), "attached") << "as it is now";
}

TEST(Reads, PagesFollowEachOther) {
  TestRegistry registry;
  std::vector<std::string> registered;
  for (int i = 0; i < 7; ++i) registered.push_back(registry.Register().device);
  registry.Register("mno-b");
  std::sort(registered.begin(), registered.end());
  std::vector<std::string> listed;
  json ask = {{"limit", 3}};
  for (int page = 0; page < 4; ++page) {
    const Said said = registry.Ask("mno-a", "device.list", ask);
    const auto ids = Listed(said);
    EXPECT_LE(ids.size(), 3u);
    listed.insert(listed.end(), ids.begin(), ids.end());
    if (!said.data().contains("next")) break;
    ask["after"] = said.data().at("next");
  }
  EXPECT_EQ(listed, registered);
  EXPECT_EQ(Listed(registry.Ask("operator", "device.list", json::object())).size(), 8u);
}

TEST(Reads, AListTellsApartByStateEndpointAndExpiry) {
  TestRegistry registry;
  const std::string active = registry.Activate(), fresh = registry.Register().device;
  const auto list = [&](const json& ask) { return Listed(registry.Ask("mno-a", "device.list", ask)); };
  const std::vector<std::string> one{active}, other{fresh}, none;
  EXPECT_EQ(list({{"state", "active"}}), one);
  EXPECT_EQ(list({{"state", "registered"}}), other);
  EXPECT_EQ(list({{"endpoint", "main"}}), one);
  EXPECT_EQ(list({{"endpoint", "main"}, {"state", "registered"}}), none);
  EXPECT_EQ(list({{"expiresBefore", "2099-01-01T00:00:00Z"}}), one);
  EXPECT_EQ(list({{"expiresBefore", "2099-01-01T00:00:00Z"}, {"state", "registered"}}), none);
  EXPECT_EQ(list({{"expiresBefore", "2026-01-01T00:00:00Z"}}), none);
  ASSERT_TRUE(registry.Ask("operator", "device.delete", {{"device", active}}).accepted());
  EXPECT_EQ(list(json::object()), other) << "deleted ones are listed when they are asked for";
  EXPECT_EQ(list({{"state", "deleted"}}), one);
}

TEST(Reads, APageThatLooksAtMuchAndFindsLittleGoesOn) {
  TestRegistry registry;
  domain::Changeset changes;
  for (std::uint64_t i = 0; i < 2100; ++i) {
    domain::Device device;
    DeviceId::Octets octets{};
    octets[0] = static_cast<std::uint8_t>(i >> 8);
    octets[1] = static_cast<std::uint8_t>(i);
    device.id = DeviceId::FromRandom(octets);
    test::ProfileOf(device).mno = *PartyId::Parse("mno-a");
    if (i == 2099) test::Bind(device, *PartyId::Parse("asp-a"), *EndpointName::Parse("main"));
    changes.devices.push_back({device, 0});
  }
  ASSERT_TRUE(registry.ledger().Commit(changes).ok());
  const Said first = registry.Ask("mno-a", "device.list", {{"endpoint", "main"}});
  EXPECT_TRUE(Listed(first).empty());
  ASSERT_TRUE(first.data().contains("next"));
  const Said second =
      registry.Ask("mno-a", "device.list", {{"endpoint", "main"}, {"after", first.data().at("next")}});
  EXPECT_EQ(Listed(second).size(), 1u);
  EXPECT_FALSE(second.data().contains("next"));
  EXPECT_EQ(Listed(registry.Ask("mno-a", "device.list", {{"limit", 500}})).size(), 500u)
      << "a page is a message";
}

TEST(Reads, ATraceSaysWhatIsWaitedForAndWhenItIsGivenUp) {
  TestRegistry registry;
  const std::string device = registry.Register().device;
  const std::string first = registry.Ask("mno-a", "device.trace", {{"device", device}}).data().at("says");
  EXPECT_TRUE(
      first.starts_with("waits for device.attach of mno-a; waits for device.claim of an ASP, with the code "
                        "that mno-a was given"))
      << first;
  ASSERT_TRUE(Attach(registry, device).accepted());
  const UtcTime asked = registry.clock().Now();
  const auto at = [&](int seconds) { return ToRfc3339(asked + std::chrono::seconds(seconds)); };
  const json told = registry.Ask("mno-a", "device.trace", {{"device", device}}).data();
  // The plan of PARTY.md: 30 s doubled, six attempts, 1890 s.
  const std::string says = told.at("says");
  EXPECT_TRUE(says.starts_with("waits for key.generate of mno-a, attempt 1 of 6, asked again at " + at(30) +
                               ", given up at " + at(1890)))
      << says;
  EXPECT_EQ(told.at("waits").size(), 1u);
  EXPECT_EQ(told.at("steps").back().at("step"), "key.generate");
}

}  // namespace
}  // namespace registry::test
