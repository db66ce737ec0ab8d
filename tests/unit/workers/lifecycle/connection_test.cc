// Detach and attach, disconnect and reconnect, and what waits meanwhile.
#include <gmock/gmock.h>

#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

using domain::DeviceStatus;
using domain::JobKind;
using domain::ProfileState;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ConnectionTest : public testing::Test {
 protected:
  Said Detach(const std::string& device, const std::string& mno = "mno-a") {
    return registry_.Ask(mno, "device.detach", {{"device", device}});
  }
  Said Disconnect(const std::string& device, const std::string& party = "asp-a") {
    return registry_.Ask(party, "device.disconnect", {{"device", device}});
  }
  Said Reconnect(const std::string& device, const std::string& party = "asp-a") {
    return registry_.Ask(party, "device.reconnect", {{"device", device}});
  }
  Said Succeed(const std::string& device, JobKind kind) {
    return Report(registry_, JobOf(registry_, device, kind), {{"outcome", "success"}});
  }
  bool Waits(const std::string& device, JobKind kind) {
    for (const auto& job : *registry_.ledger().JobsOf(*DeviceId::Parse(device))) {
      if (job.kind == kind) return true;
    }
    return false;
  }
  std::vector<Said> Actions(const std::string& action) { return registry_.Heard(kActions + action); }
  ProfileState ProfileOf(const std::string& device) {
    return domain::Serving(registry_.Device(device))->state;
  }
  bool Off(const std::string& device) {
    return registry_.Device(device).statuses.contains(DeviceStatus::kDisconnected);
  }
  bool Sound() { return ledger::Verify(registry_.ledger())->faults.empty(); }
  TestRegistry registry_;
};

TEST_F(ConnectionTest, WhileADeviceIsAwayItsJobsWaitWithoutUsingAttemptsUp) {
  const std::string id = Published(registry_);
  const auto before = JobOf(registry_, id, JobKind::kPayloadPush);
  ASSERT_TRUE(Detach(id).accepted());
  EXPECT_FALSE(domain::Attached(registry_.Device(id)));
  EXPECT_THAT(registry_.Heard("registry/v1/to/asp-a/event/device.detached"), SizeIs(1));
  Actions("payload.push");
  for (int day = 0; day < 20; ++day) registry_.RunDueJobs(std::chrono::hours(24));
  EXPECT_THAT(Actions("payload.push"), IsEmpty());
  EXPECT_THAT(registry_.Heard(kMnoFailures), IsEmpty()) << "it is not given up";
  EXPECT_EQ(JobOf(registry_, id, JobKind::kPayloadPush).attempt, before.attempt);
  EXPECT_TRUE(
      Report(registry_, before, {{"outcome", "failed"}, {"stage", "radio"}, {"retriable", true}}).accepted());

  ASSERT_TRUE(Attach(registry_, id).accepted());
  const auto sent = Actions("payload.push");
  ASSERT_THAT(sent, SizeIs(1)) << "it goes on at once";
  EXPECT_EQ(sent[0].data().at("job"), before.id.text());
  EXPECT_EQ(sent[0].data().at("attempt"), before.attempt);
  EXPECT_THAT(registry_.Heard("registry/v1/to/asp-a/event/device.attached"), SizeIs(1));
  ASSERT_TRUE(Succeed(id, JobKind::kPayloadPush).accepted());
  EXPECT_EQ(registry_.Device(id).state, domain::State::kActive);
  EXPECT_TRUE(Sound());
}

TEST_F(ConnectionTest, OfADetachSaidTwiceOrByAStrangerNothingComes) {
  const std::string id = registry_.Activate();
  EXPECT_EQ(Detach(id, "mno-b").symbol(), "not_sponsor");
  ASSERT_TRUE(Detach(id).accepted());
  const auto version = registry_.Device(id).version;
  EXPECT_TRUE(Detach(id).accepted());
  EXPECT_EQ(registry_.Device(id).version, version);
  const auto device = registry_.Register();
  EXPECT_TRUE(Detach(device.device).accepted()) << "a fact is not refused";
  EXPECT_EQ(registry_.Device(device.device).state, domain::State::kRegistered);
}

TEST_F(ConnectionTest, TheWipeOfADeletedDeviceThatIsAwayIsGivenUpAllTheSame) {
  const std::string id = registry_.Activate();
  ASSERT_TRUE(Detach(id).accepted());
  ASSERT_TRUE(registry_.Ask("asp-a", "device.delete", {{"device", id}}).accepted());
  for (int day = 0; day < 20; ++day) registry_.RunDueJobs(std::chrono::hours(24));
  EXPECT_FALSE(Waits(id, JobKind::kAppletWipe)) << "its eSIM must be free some day";
}

TEST_F(ConnectionTest, ADisconnectedDeviceHasItsProfileDisabledAndGetsItBack) {
  const std::string id = registry_.Activate();
  const Said off = Disconnect(id);
  ASSERT_TRUE(off.accepted()) << off.payload;
  EXPECT_EQ(off.data().at("holds"), json({"disconnected"}));
  const auto asked = Actions("profile.disable");
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].data().at("profile"), 1);
  EXPECT_THAT(registry_.Heard("registry/v1/to/mno-a/event/device.disconnected"), SizeIs(1));
  ASSERT_TRUE(Succeed(id, JobKind::kProfileDisable).accepted());
  EXPECT_EQ(ProfileOf(id), ProfileState::kDisabled);
  EXPECT_FALSE(domain::Attached(registry_.Device(id)));
  const Said again = Disconnect(id);
  EXPECT_EQ(again.code(), 2304);
  EXPECT_THAT(again.data().at("message"), HasSubstr("active, disconnected: disconnect refused"));

  ASSERT_TRUE(Reconnect(id).accepted());
  EXPECT_EQ(Reconnect(id).symbol(), "state_prohibits");
  EXPECT_THAT(Actions("profile.enable"), SizeIs(1));
  EXPECT_THAT(registry_.Heard("registry/v1/to/asp-a/event/device.reconnected"), SizeIs(1));
  ASSERT_TRUE(Succeed(id, JobKind::kProfileEnable).accepted());
  EXPECT_EQ(ProfileOf(id), ProfileState::kEnabled);
  ASSERT_TRUE(Attach(registry_, id).accepted());
  EXPECT_TRUE(domain::Attached(registry_.Device(id)));
  EXPECT_TRUE(Sound());
}

TEST_F(ConnectionTest, WhatTheMnoRefusesMayBeAskedForAgain) {
  const std::string id = registry_.Activate();
  const json refused = {{"outcome", "failed"}, {"stage", "profile"}, {"reason", "mno_refused"}};
  ASSERT_TRUE(Disconnect(id).accepted());
  ASSERT_TRUE(Report(registry_, JobOf(registry_, id, JobKind::kProfileDisable), refused).accepted());
  EXPECT_FALSE(Off(id));
  const auto told = registry_.Heard(kAspFailures);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("error").at("step"), "profile.disable");
  ASSERT_TRUE(Disconnect(id).accepted());
  ASSERT_TRUE(Succeed(id, JobKind::kProfileDisable).accepted());
  ASSERT_TRUE(Reconnect(id).accepted());
  ASSERT_TRUE(Report(registry_, JobOf(registry_, id, JobKind::kProfileEnable), refused).accepted());
  EXPECT_TRUE(Off(id));
  EXPECT_TRUE(Reconnect(id).accepted());
  EXPECT_TRUE(Sound());
}

TEST_F(ConnectionTest, TheLaterOfDisconnectAndReconnectHolds) {
  const std::string id = registry_.Activate();
  ASSERT_TRUE(Disconnect(id).accepted());
  const auto disable = JobOf(registry_, id, JobKind::kProfileDisable);
  ASSERT_TRUE(Reconnect(id).accepted());
  EXPECT_FALSE(Waits(id, JobKind::kProfileDisable));
  EXPECT_TRUE(Report(registry_, disable, {{"outcome", "success"}}).accepted()) << "noted";
  EXPECT_EQ(ProfileOf(id), ProfileState::kEnabled);
  ASSERT_TRUE(Disconnect(id).accepted());
  EXPECT_FALSE(Waits(id, JobKind::kProfileEnable));
  EXPECT_TRUE(Sound());
}

TEST_F(ConnectionTest, ADisconnectedDeviceSeenOnTheNetworkIsDisabledAgain) {
  const std::string id = registry_.Activate();
  ASSERT_TRUE(Disconnect(id).accepted());
  ASSERT_TRUE(Attach(registry_, id).accepted());
  EXPECT_THAT(Actions("profile.disable"), SizeIs(1)) << "it is being disabled";
  ASSERT_TRUE(Succeed(id, JobKind::kProfileDisable).accepted());
  ASSERT_TRUE(Attach(registry_, id).accepted());
  EXPECT_THAT(Actions("profile.disable"), SizeIs(1));
  EXPECT_TRUE(Sound());
}

TEST_F(ConnectionTest, TheOperatorsHoldKeepsTheAspFromReconnecting) {
  const std::string id = registry_.Activate();
  EXPECT_EQ(Disconnect(id, "asp-b").symbol(), "not_claimer");
  ASSERT_TRUE(Disconnect(id, "operator").accepted());
  ASSERT_TRUE(registry_.Ask("operator", "device.suspend", {{"device", id}}).accepted());
  EXPECT_EQ(Reconnect(id).symbol(), "state_prohibits");
  EXPECT_TRUE(Reconnect(id, "operator").accepted());
}

TEST_F(ConnectionTest, ADeviceNeverSeenIsNotDisconnected) {
  const auto device = registry_.Register();
  EXPECT_EQ(Disconnect(device.device, "operator").symbol(), "state_prohibits");
  ASSERT_TRUE(
      registry_.Ask("operator", "device.deactivate", {{"device", device.device}, {"disconnect", true}})
          .accepted());
  EXPECT_FALSE(Off(device.device));
}

TEST_F(ConnectionTest, ALostDeviceIsWipedFirstAndDisabledThen) {
  const std::string id = registry_.Activate();
  const json lost = {{"device", id}, {"reason", "lost"}, {"disconnect", true}};
  ASSERT_TRUE(registry_.Ask("asp-a", "device.deactivate", lost).accepted());
  EXPECT_THAT(Actions("applet.wipe"), SizeIs(1));
  EXPECT_THAT(Actions("profile.disable"), IsEmpty());
  EXPECT_TRUE(Off(id));
  EXPECT_THAT(registry_.Heard("registry/v1/to/mno-a/event/device.disconnected"), SizeIs(1));
  ASSERT_TRUE(Succeed(id, JobKind::kAppletWipe).accepted());
  EXPECT_THAT(Actions("profile.disable"), SizeIs(1));
  ASSERT_TRUE(Succeed(id, JobKind::kProfileDisable).accepted());
  EXPECT_EQ(ProfileOf(id), ProfileState::kDisabled);
  EXPECT_TRUE(Sound());
}

TEST_F(ConnectionTest, AnEsimIsFreeWhenItsProfileHasBeenDisabled) {
  const std::string id = registry_.Activate();
  ASSERT_TRUE(registry_.Ask("asp-a", "device.deactivate", {{"device", id}, {"disconnect", true}}).accepted());
  ASSERT_TRUE(registry_.Ask("asp-a", "device.delete", {{"device", id}}).accepted());
  ASSERT_TRUE(Succeed(id, JobKind::kAppletWipe).accepted());
  const json esim = {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}};
  EXPECT_EQ(registry_.Ask("mno-a", "esim.register", esim).symbol(), "esim_wipe_pending");
  ASSERT_TRUE(Succeed(id, JobKind::kProfileDisable).accepted());
  EXPECT_TRUE(registry_.Ask("mno-a", "esim.register", esim).accepted());
  EXPECT_TRUE(Sound());
}

}  // namespace
}  // namespace registry::test
