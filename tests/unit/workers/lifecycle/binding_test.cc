// Release and move: a device leaves its ASP, or goes to another endpoint of it.
#include <gmock/gmock.h>

#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/domain/device_steps.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

using domain::JobKind;
using testing::IsEmpty;
using testing::SizeIs;

class BindingTest : public testing::Test {
 protected:
  Said Release(const std::string& device, const std::string& party = "asp-a") {
    return registry_.Ask(party, "device.release", {{"device", device}, {"reason", "sold"}});
  }
  Said Move(const std::string& device, const std::string& endpoint) {
    return registry_.Ask("asp-a", "device.move", {{"device", device}, {"endpoint", endpoint}});
  }
  std::vector<Said> Pushes() { return registry_.Heard(std::string(kActions) + "payload.push"); }
  Said Delivered(const std::string& device) {
    return Report(registry_, JobOf(registry_, device, JobKind::kPayloadPush), {{"outcome", "success"}});
  }
  bool Sound() { return ledger::Verify(registry_.ledger())->faults.empty(); }
  TestRegistry registry_;
};

TEST_F(BindingTest, AReleasedDeviceBelongsToNobodyAndIsToldSo) {
  const std::string id = registry_.Activate();
  Pushes();
  EXPECT_EQ(Release(id, "asp-b").symbol(), "not_claimer");
  const Said released = Release(id);
  ASSERT_TRUE(released.accepted()) << released.payload;
  EXPECT_EQ(released.data().at("state"), "published");
  EXPECT_EQ(domain::Claimer(registry_.Device(id)), std::nullopt);
  for (const char* party : {"mno-a", "asp-a"}) {
    const auto told = registry_.Heard("registry/v1/to/" + std::string(party) + "/event/device.released");
    ASSERT_THAT(told, SizeIs(1)) << party;
    EXPECT_EQ(told[0].data().at("reason"), "sold");
  }
  const auto pushed = Pushes();
  ASSERT_THAT(pushed, SizeIs(1));
  EXPECT_EQ(pushed[0].data().at("pilotFormAbsent"), "released");
  EXPECT_EQ(pushed[0].data().at("version"), 2);
  ASSERT_TRUE(Delivered(id).accepted());
  EXPECT_EQ(registry_.Device(id).state, domain::State::kPublished) << "for nobody it is not active";
  ASSERT_TRUE(Attach(registry_, id).accepted());
  EXPECT_THAT(Pushes(), IsEmpty()) << "nothing is owed";
  EXPECT_EQ(Release(id).symbol(), "not_claimer") << "it is no longer its own";
  EXPECT_TRUE(Sound());
}

TEST_F(BindingTest, TheCodeThatWasUsedClaimsNothingAgain) {
  registry_.PublishEndpoint();
  const auto device = registry_.Register();
  ASSERT_TRUE(Claim(registry_, device).accepted());
  ASSERT_TRUE(Release(device.device).accepted());
  const Said again = Claim(registry_, device);
  EXPECT_FALSE(again.accepted());
  EXPECT_EQ(again.code(), 2202);
}

TEST_F(BindingTest, AReleaseThatWasNotDeliveredIsOwedUntilItIs) {
  const std::string id = registry_.Activate();
  ASSERT_TRUE(Release(id).accepted());
  const json refused = {{"outcome", "failed"}, {"stage", "payload"}, {"reason", "payload_malformed"}};
  ASSERT_TRUE(Report(registry_, JobOf(registry_, id, JobKind::kPayloadPush), refused).accepted());
  Pushes();
  ASSERT_TRUE(Attach(registry_, id).accepted());
  EXPECT_THAT(Pushes(), SizeIs(1));
  EXPECT_TRUE(Sound());
}

TEST_F(BindingTest, AReleaseEndsThePushThatWasUnderWay) {
  const std::string id = Published(registry_);
  const auto before = JobOf(registry_, id, JobKind::kPayloadPush);
  ASSERT_TRUE(Release(id).accepted());
  const auto after = JobOf(registry_, id, JobKind::kPayloadPush);
  EXPECT_NE(before.id, after.id);
  EXPECT_TRUE(Report(registry_, before, {{"outcome", "success"}}).accepted()) << "noted";
  EXPECT_EQ(registry_.Device(id).state, domain::State::kPublished);
  EXPECT_TRUE(Sound());
}

TEST_F(BindingTest, ADeviceOnHoldIsNeitherReleasedNorMoved) {
  const std::string id = registry_.Activate();
  registry_.PublishEndpoint("asp-a", "other");
  ASSERT_TRUE(registry_.Ask("mno-a", "device.suspend", {{"device", id}}).accepted());
  EXPECT_EQ(Release(id).symbol(), "state_prohibits");
  EXPECT_EQ(Move(id, "other").symbol(), "state_prohibits");
}

TEST_F(BindingTest, AMovedDeviceIsGivenItsOtherEndpoint) {
  const std::string id = registry_.Activate();
  registry_.PublishEndpoint("asp-a", "other");
  Pushes();
  EXPECT_EQ(Move(id, "nowhere").symbol(), "endpoint_unknown");
  const Said moved = Move(id, "other");
  ASSERT_TRUE(moved.accepted()) << moved.payload;
  EXPECT_EQ(moved.data().at("state"), "active") << "it works where it is until it has heard";
  EXPECT_EQ(domain::EndpointOf(registry_.Device(id))->text(), "other");
  EXPECT_THAT(Pushes(), SizeIs(1));
  const auto told = registry_.Heard("registry/v1/to/asp-a/event/device.moved");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("endpoint"), "other");
  ASSERT_TRUE(Delivered(id).accepted());
  EXPECT_EQ(domain::DeliveredVersion(registry_.Device(id)), 2u);
  EXPECT_TRUE(Move(id, "other").accepted());
  EXPECT_THAT(Pushes(), IsEmpty()) << "it is there";
  EXPECT_TRUE(Sound());
}

TEST_F(BindingTest, AMoveBeforeThereIsACertificateIsToldWithTheFirstPayload) {
  registry_.PublishEndpoint();
  registry_.PublishEndpoint("asp-a", "other");
  const auto device = registry_.Register();
  ASSERT_TRUE(Claim(registry_, device).accepted());
  ASSERT_TRUE(Move(device.device, "other").accepted());
  EXPECT_THAT(Pushes(), IsEmpty());
}

// A device goes from hand to hand; what is kept of it stays bounded.
TEST_F(BindingTest, OfManyReleasesOnlyTheLastAreKept) {
  domain::Device device = registry_.Device(registry_.Activate());
  for (std::uint64_t round = 1; round <= 10; ++round) {
    domain::Unbind(device);
    const std::uint64_t version = domain::ComposeNext(device);
    EXPECT_EQ(version, domain::PayloadVersion(device));
    EXPECT_TRUE(domain::PayloadOwed(device));
    domain::Deliver(device, version);
    EXPECT_FALSE(domain::PayloadOwed(device));
    domain::Bind(device, *PartyId::Parse("asp-a"), *EndpointName::Parse("main"));
    domain::Deliver(device, domain::ComposeNext(device));
    EXPECT_EQ(domain::PayloadVersion(device), 1 + 2 * round);
  }
  EXPECT_LE(device.bindings.size(), domain::kEndedBindingsMax + 1);
}

}  // namespace
}  // namespace registry::test
