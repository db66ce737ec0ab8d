#include "bridge/console/reads.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bridge/console/assets.h"
#include "tests/support/test_registry.h"
#include "tests/support/wrapped_ledger.h"

namespace registry::console {
namespace {

using nlohmann::json;
using Values = std::map<std::string, std::string>;

class ReadsTest : public testing::Test {
 protected:
  Answer Get(const std::string& what, const Values& values = {}, bool reveal = false) {
    const Reads reads(registry_.ledger(), registry_.clock(), {reveal, [] { return domain::Policy(); }});
    return reads.Get(what, [&](std::string_view name) {
      const auto found = values.find(std::string(name));
      return found == values.end() ? std::string() : found->second;
    });
  }
  json Told(const std::string& what, const Values& values = {}, bool reveal = false) {
    const Answer answer = Get(what, values, reveal);
    EXPECT_EQ(answer.status, 200) << answer.json;
    return json::parse(answer.json);
  }

  test::TestRegistry registry_;
};

TEST_F(ReadsTest, DevicesAreListedByStateAndParty) {
  registry_.PublishEndpoint();
  const std::string active = registry_.Activate();
  const std::string registered = registry_.Register("mno-b").device;
  EXPECT_EQ(Told("devices")["devices"].size(), 2u);
  const json of_state = Told("devices", {{"state", "active"}})["devices"];
  ASSERT_EQ(of_state.size(), 1u);
  EXPECT_EQ(of_state[0]["device"], active);
  EXPECT_EQ(of_state[0]["claimer"], "asp-a");
  const json of_party = Told("devices", {{"party", "mno-b"}})["devices"];
  ASSERT_EQ(of_party.size(), 1u);
  EXPECT_EQ(of_party[0]["device"], registered);
  EXPECT_TRUE(of_party[0]["expires"].is_null());
  const json ending = Told("devices", {{"before", "2199-01-01T00:00:00Z"}})["devices"];
  ASSERT_EQ(ending.size(), 1u) << "what has a certificate";
  EXPECT_EQ(ending[0]["device"], active);
}

TEST_F(ReadsTest, PagesFollowEachOtherAndEnd) {
  for (int i = 0; i < 250; ++i) registry_.Register();
  std::set<std::string> seen;
  Values asked;
  std::size_t pages = 0;
  for (bool more = true; more; ++pages) {
    const json page = Told("devices", asked);
    EXPECT_LE(page["devices"].size(), kPageMax);
    for (const json& device : page["devices"]) EXPECT_TRUE(seen.insert(device["device"]).second);
    more = !page["next"].is_null();
    if (more) asked["after"] = page["next"];
  }
  EXPECT_EQ(seen.size(), 250u);
  EXPECT_EQ(pages, 3u);
}

TEST_F(ReadsTest, OneDeviceSaysItsStepsAndWhatItWaitsFor) {
  const auto registered = registry_.Register();
  registry_.Ask("mno-a", "device.attach", {{"device", registered.device}});
  const json device = Told("device", {{"id", registered.device}});
  EXPECT_EQ(device["state"], "attached");
  ASSERT_EQ(device["waits"].size(), 1u);
  EXPECT_EQ(device["waits"][0]["who"], "mno-a");
  EXPECT_NE(device["says"].get<std::string>().find("mno-a"), std::string::npos);
  EXPECT_EQ(device["steps"][0]["step"], "registered");
  EXPECT_GE(device["history"].size(), 2u);
  EXPECT_EQ(Told("device", {{"id", registered.device + "._device.example"}})["device"], registered.device)
      << "by its name, too";
}

TEST_F(ReadsTest, PrivateIdentifiersAreMaskedUnlessTheConfigurationRevealsThem) {
  const auto registered = registry_.Register();
  const domain::Device device = registry_.Device(registered.device);
  const Values asked = {{"id", registered.device}};
  const std::string masked = Get("device", asked).json, shown = Get("device", asked, true).json;
  EXPECT_EQ(masked.find(device.eid.text()), std::string::npos);
  EXPECT_EQ(masked.find(device.profiles[0].iccid.text()), std::string::npos);
  EXPECT_NE(shown.find(device.eid.text()), std::string::npos);
  EXPECT_EQ(shown.find(registered.code), std::string::npos) << "a code is shown to nobody";
}

TEST_F(ReadsTest, AnOrderSaysHowFarItIs) {
  registry_.PublishEndpoint();
  registry_.Activate();
  const auto started =
      registry_.Ask("operator", "order.start",
                    {{"kind", "suspend"}, {"selection", {{"party", "asp-a"}}}, {"dryRun", true}});
  ASSERT_TRUE(started.accepted()) << started.payload;
  const std::string id = started.data().at("order");
  registry_.WaitUntilRead();
  const json orders = Told("orders");
  ASSERT_EQ(orders["orders"].size(), 1u);
  EXPECT_EQ(orders["orders"][0]["order"], id);
  const json order = Told("order", {{"id", id}});
  EXPECT_EQ(order["dryRun"], true);
  EXPECT_EQ(order["selection"]["party"], "asp-a");
  EXPECT_GE(order["share"].get<double>(), 0.0);
  EXPECT_LE(order["share"].get<double>(), 1.0);
}

TEST_F(ReadsTest, WhatIsNoneIsSaid) {
  EXPECT_EQ(Get("devices", {{"state", "asleep"}}).status, 400);
  EXPECT_EQ(Get("devices", {{"party", "NOBODY"}}).status, 400);
  EXPECT_EQ(Get("devices", {{"after", "12:x"}}).status, 400);
  EXPECT_EQ(Get("devices", {{"before", "tomorrow"}}).status, 400);
  EXPECT_EQ(Get("device", {{"id", "<script>"}}).status, 400);
  EXPECT_EQ(Get("device", {{"id", "00000000-0000-4000-8000-000000000000"}}).status, 404);
  EXPECT_EQ(Get("order", {{"id", "x"}}).status, 400);
  EXPECT_EQ(Get("order", {{"id", "00000000-0000-4000-8000-000000000000"}}).status, 404);
  EXPECT_EQ(Get("nothing").status, 404);
  EXPECT_TRUE(Told("transfers")["transfers"].empty());
}

// However many devices fit nothing of what is asked, a page ends.
class AllElsewhere : public test::WrappedLedger {
 public:
  using WrappedLedger::WrappedLedger;
  Result<std::vector<domain::DeviceBrief>> DevicesIn(const domain::DeviceGroup&,
                                                     const std::optional<domain::DevicePosition>&,
                                                     std::optional<UtcTime>,
                                                     std::size_t limit) const override {
    asked_ += limit;
    return std::vector<domain::DeviceBrief>(limit);
  }
  mutable std::size_t asked_ = 0;
};

TEST_F(ReadsTest, APageLooksAtABoundedNumberOfDevices) {
  const AllElsewhere ledger(registry_.ledger());
  const Reads reads(ledger, registry_.clock(), {false, [] { return domain::Policy(); }});
  const Answer answer = reads.Get("devices", [](std::string_view name) {
    return name == "state" ? "active" : name == "before" ? "2199-01-01T00:00:00Z" : "";
  });
  const json page = json::parse(answer.json);
  EXPECT_TRUE(page["devices"].empty());
  EXPECT_FALSE(page["next"].is_null()) << "there may be more";
  EXPECT_LE(ledger.asked_, kLookedAtMax);
}

TEST(Assets, AreInTheProgram) {
  for (const char* path : {"/", "/console.css", "/main.js", "/overview.js", "/devices.js", "/device.js",
                           "/orders.js", "/parties.js", "/parts.js", "/icon.svg", "/chart.js"}) {
    const Asset* const asset = FindAsset(path);
    ASSERT_NE(asset, nullptr) << path;
    EXPECT_GT(asset->octets.size(), 100u) << path;
  }
  EXPECT_NE(FindAsset("/chart.js")->octets.find("Chart.js"), std::string_view::npos);
  EXPECT_EQ(FindAsset("/etc/passwd"), nullptr);
  EXPECT_EQ(FindAsset("/../main.js"), nullptr);
}

// What the Content-Security-Policy forbids is not there: no script, no style and no handler in the page itself.
TEST(Assets, ThePageHasNothingInline) {
  const std::string page(FindAsset("/")->octets);
  for (const char* inline_part :
       {"<style", " style=", " onclick", " onload", "javascript:", "http://", "https://"})
    EXPECT_EQ(page.find(inline_part), std::string::npos) << inline_part;
  for (std::size_t at = page.find("<script"); at != std::string::npos; at = page.find("<script", at + 1))
    EXPECT_EQ(page.substr(at, 13), "<script src=\"");
}

}  // namespace
}  // namespace registry::console
