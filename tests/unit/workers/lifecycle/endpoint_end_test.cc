// endpoint.withdraw and endpoint.list.
#include <gmock/gmock.h>

#include "tests/unit/workers/lifecycle/flow.h"

namespace registry::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> NamesOf(const json& page) {
  std::vector<std::string> names;
  for (const json& endpoint : page.at("endpoints")) names.push_back(endpoint.at("endpoint"));
  return names;
}

TEST(EndpointWithdraw, WhatNothingIsBoundToGoesAndCannotBeClaimedFor) {
  TestRegistry registry;
  registry.PublishEndpoint();
  const auto device = registry.Register();
  const Said said = registry.Ask("asp-a", "endpoint.withdraw", {{"name", "main"}});
  ASSERT_TRUE(said.accepted()) << said.payload;
  EXPECT_EQ(said.data().at("endpoint"), "main");
  EXPECT_EQ(Claim(registry, device).symbol(), "endpoint_unknown");
  EXPECT_EQ(registry.Ask("asp-a", "endpoint.withdraw", {{"name", "main"}}).symbol(), "endpoint_unknown");
  EXPECT_THAT(HistoryOf(registry, DeviceId()),
              ElementsAre("endpoint main published, version 1", "endpoint main withdrawn"));
  registry.PublishEndpoint();
  EXPECT_TRUE(Claim(registry, device).accepted());
  EXPECT_THAT(ledger::Verify(registry.ledger())->faults, IsEmpty());
}

TEST(EndpointWithdraw, WhatDevicesAreBoundToStaysAndTheirNumberIsSaid) {
  TestRegistry registry;
  registry.PublishEndpoint();
  std::vector<std::string> devices;
  for (int i = 0; i < 3; ++i) {
    const auto device = registry.Register();
    EXPECT_TRUE(Claim(registry, device).accepted());
    devices.push_back(device.device);
  }
  const Said said = registry.Ask("asp-a", "endpoint.withdraw", {{"name", "main"}});
  EXPECT_EQ(said.symbol(), "endpoint_in_use");
  EXPECT_EQ(said.code(), 2305);
  EXPECT_THAT(said.data().at("message").get<std::string>(), HasSubstr("3 devices"));
  EXPECT_EQ(said.data().at("field"), "/name");
  for (const std::string& device : devices)
    EXPECT_TRUE(registry.Ask("asp-a", "device.delete", {{"device", device}}).accepted());
  EXPECT_TRUE(registry.Ask("asp-a", "endpoint.withdraw", {{"name", "main"}}).accepted());
}

TEST(EndpointWithdraw, AnotherAspsEndpointIsNotTouched) {
  TestRegistry registry;
  registry.PublishEndpoint("asp-a");
  EXPECT_EQ(registry.Ask("asp-b", "endpoint.withdraw", {{"name", "main"}}).symbol(), "endpoint_unknown");
  EXPECT_EQ(registry.Ask("mno-a", "endpoint.withdraw", {{"name", "main"}}).symbol(), "role_not_allowed");
}

TEST(EndpointList, SaysTheSendersOwnInPages) {
  TestRegistry registry;
  for (const char* name : {"main", "alpha", "zulu"}) registry.PublishEndpoint("asp-b", name);
  registry.PublishEndpoint("asp-a", "main");
  registry.PublishEndpoint("asp-b", "main");
  const json all = registry.Ask("asp-b", "endpoint.list", json::object()).data();
  EXPECT_THAT(NamesOf(all), ElementsAre("alpha", "main", "zulu"));
  EXPECT_FALSE(all.contains("next"));
  EXPECT_EQ(all.at("endpoints")[1].at("revision"), 2);
  EXPECT_EQ(all.at("endpoints")[1].at("fqdn"), "mqtt.asp-b.test");
  EXPECT_EQ(all.at("endpoints")[1].at("port"), 8883);
  const json first = registry.Ask("asp-b", "endpoint.list", {{"limit", 2}}).data();
  EXPECT_THAT(NamesOf(first), ElementsAre("alpha", "main"));
  const json rest =
      registry.Ask("asp-b", "endpoint.list", {{"limit", 2}, {"after", first.at("next")}}).data();
  EXPECT_THAT(NamesOf(rest), ElementsAre("zulu"));
  EXPECT_FALSE(rest.contains("next"));
  EXPECT_THAT(NamesOf(registry.Ask("asp-a", "endpoint.list", json::object()).data()), ElementsAre("main"));
}

}  // namespace
}  // namespace registry::test
