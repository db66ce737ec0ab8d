// wifi.set: a network that an ASP has sealed for one device. What is sealed is opened in simulators' tests.
#include <gmock/gmock.h>

#include <thread>

#include "schemas/base/bytes.h"
#include "tests/support/sealed.h"
#include "tests/unit/workers/lifecycle/pushed.h"
#include "tests/unit/workers/lifecycle/transfer_flow.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kSealed = kSealedPassphrase;
const std::string kPushes = std::string(kActions) + "payload.push";

json Network(const std::string& sealed = kSealed) {
  return {{"ssid", "plant-7"}, {"sealedPassphrase", sealed}};
}
Said Set(TestRegistry& registry, const std::string& device, const json& more,
         const std::string& asp = "asp-a") {
  json data = {{"device", device}};
  data.update(more);
  return registry.Ask(asp, "wifi.set", data);
}
std::optional<wire::Wifi> WifiOf(TestRegistry& registry, const std::string& device) {
  return domain::LiveBinding(registry.Device(device))->wifi;
}

TEST(WifiSet, ADeviceWithAPayloadIsGivenItAnew) {
  TestRegistry registry;
  const std::string device = registry.Activate();
  registry.Heard(kPushes);
  const Said said = Set(registry, device, {{"wifi", Network()}});
  ASSERT_TRUE(said.accepted()) << said.payload;
  EXPECT_EQ(said.data().at("state"), "active");
  EXPECT_EQ(WifiOf(registry, device), (wire::Wifi{"plant-7", kSealed}));
  const auto pushes = registry.Heard(kPushes);
  ASSERT_THAT(pushes, SizeIs(1));
  EXPECT_EQ(pushes[0].data().at("version"), 2);
  EXPECT_THAT(HistoryOf(registry, device), Contains("Wi-Fi set"));
  EXPECT_TRUE(Set(registry, device, json::object()).accepted());
  EXPECT_FALSE(WifiOf(registry, device));
  EXPECT_EQ(domain::PayloadVersion(registry.Device(device)), 3u);
  EXPECT_THAT(ledger::Verify(registry.ledger())->faults, IsEmpty());
}

TEST(WifiSet, WhatNoDeviceCouldOpenIsRefused) {
  TestRegistry registry;
  const std::string device = registry.Activate();
  Bytes longer = *FromBase64(kSealed), shorter = longer;
  longer.push_back(0);
  shorter.pop_back();
  const Bytes data = {
      // id-data, which is no envelope
      0x30, 0x0f, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01, 0xa0, 0x02, 0x04, 0x00};
  for (const std::string& sealed : {std::string("hello"), std::string("AAAA"), ToBase64(longer),
                                    ToBase64(shorter), ToBase64(data), "v1." + kSealed}) {
    const Said said = Set(registry, device, {{"wifi", Network(sealed)}});
    EXPECT_EQ(said.symbol(), "passphrase_not_sealed") << sealed;
    EXPECT_EQ(said.data().value("field", ""), "/wifi/sealedPassphrase");
    EXPECT_EQ(said.code(), 2005);
  }
  EXPECT_FALSE(WifiOf(registry, device));
  EXPECT_EQ(domain::PayloadVersion(registry.Device(device)), 1u);
}

TEST(WifiSet, BeforeTheFirstPayloadItWaitsForIt) {
  TestRegistry registry;
  const std::string device = Certified(registry);
  EXPECT_TRUE(Set(registry, device, {{"wifi", Network()}}).accepted());
  EXPECT_THAT(registry.Heard(kPushes), IsEmpty());
  registry.ServeZone();
  EXPECT_THAT(registry.Heard(kPushes), SizeIs(1));
  EXPECT_TRUE(WifiOf(registry, device));
}

TEST(WifiSet, IsForItsClaimerAlone) {
  TestRegistry registry;
  const std::string device = registry.Activate();
  EXPECT_EQ(Set(registry, device, {{"wifi", Network()}}, "asp-b").symbol(), "not_claimer");
  EXPECT_EQ(Set(registry, device, {{"wifi", Network()}}, "mno-a").symbol(), "role_not_allowed");
  EXPECT_FALSE(WifiOf(registry, device));
}

// What goes to the MNO beside the payload, the history, and what anybody is told do not have it; the payload is encrypted to
// the device.
TEST(WifiSet, WhatIsSealedIsSaidToNobody) {
  TestRegistry registry;
  const std::string device = registry.Activate();
  EXPECT_TRUE(Set(registry, device, {{"wifi", Network()}}).accepted());
  for (const Said& said : registry.Heard("registry/v1/to/"))
    EXPECT_THAT(said.payload, Not(HasSubstr(kSealed)));
  for (const std::string& what : HistoryOf(registry, device)) EXPECT_THAT(what, Not(HasSubstr(kSealed)));
}

// The push of an approved transfer is a step of it: nothing takes its place.
TEST_F(TransferTest, WhatItsFormerAspWantsPushedDoesNotTakeThePlaceOfItsPayload) {
  Approved();
  const domain::Job job = JobOf(registry_, device_, domain::JobKind::kPayloadPush);
  registry_.Heard(kPushes);
  const Said refused = Set(registry_, device_, {{"wifi", Network()}});
  EXPECT_EQ(refused.symbol(), "state_prohibits");
  EXPECT_EQ(refused.code(), 2304);
  const json order = {{"kind", "reprovision"}, {"selection", json::object()}};
  EXPECT_TRUE(Ask("asp-a", "order.start", order).accepted());
  const auto done = [&] { return registry_.Heard("registry/v1/to/asp-a/event/order.done"); };
  std::vector<Said> told = done();
  for (const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
       told.empty() && std::chrono::steady_clock::now() < until; told = done()) {
    std::this_thread::yield();
  }
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("refused"), 1);
  EXPECT_THAT(registry_.Heard(kPushes), IsEmpty());
  EXPECT_TRUE(Report(registry_, job, kSuccess).accepted());
  EXPECT_EQ(State(), "completed");
}

}  // namespace
}  // namespace registry::test
