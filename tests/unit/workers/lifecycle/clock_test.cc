// A clock that was ahead and is set back: what was put off meanwhile still happens, soon, and nothing fails before its
// time.
#include <gmock/gmock.h>

#include <thread>

#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/domain/job_kinds.h"

namespace registry::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::Not;

constexpr hours kDay{24};
const std::string kKeys = std::string(kActions) + "key.generate";

// Without moving the clock.
template <class Condition>
bool Soon(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}
bool HeardSoon(TestRegistry& registry, const std::string& prefix) {
  return Soon([&] { return !registry.Heard(prefix).empty(); });
}

// Asked for its key by a clock that is a day ahead, which is then set right.
std::string AskedAhead(TestRegistry& registry, std::chrono::microseconds meanwhile = minutes(2)) {
  registry.clock().Advance(kDay);
  const std::string device = registry.Register().device;
  REG_CHECK(Attach(registry, device).accepted() && registry.Heard(kKeys).size() == 1);
  registry.clock().Advance(meanwhile - kDay);
  return device;
}

TEST(SetBackClock, WhatAnMnoWasAskedIsAskedAgain) {
  TestRegistry registry;
  const std::string device = AskedAhead(registry);
  ASSERT_TRUE(HeardSoon(registry, kKeys)) << "not when the day has passed";
  const auto again = OnlyJob(registry, device);
  EXPECT_EQ(again.attempt, 2u);
  EXPECT_LE(again.due, registry.clock().Now() + hours(1));
  registry.RunDueJobs(seconds(61));
  EXPECT_THAT(registry.Heard(kKeys), Not(IsEmpty())) << "and goes on as ever";
}

TEST(SetBackClock, ARestartBringsItToo) {
  TestRegistry registry;
  AskedAhead(registry);
  registry.Restart();
  EXPECT_TRUE(HeardSoon(registry, kKeys));
}

TEST(SetBackClock, ADeviceThatSleepsIsNotWaitedForADay) {
  TestRegistry registry;
  registry.clock().Advance(kDay);
  const std::string device = registry.Register().device;
  ASSERT_TRUE(Attach(registry, device).accepted());
  registry.Heard(kKeys);
  ASSERT_TRUE(
      Report(registry, OnlyJob(registry, device), {{"stage", "waiting_device"}, {"progress", 1}}).accepted());
  registry.clock().Advance(-kDay);
  EXPECT_TRUE(HeardSoon(registry, kKeys));
}

TEST(SetBackClock, TheLastAttemptGetsItsTimeBeforeItFails) {
  TestRegistry registry;
  registry.clock().Advance(kDay);
  const std::string device = registry.Register().device;
  ASSERT_TRUE(Attach(registry, device).accepted());
  for (auto wait = seconds(31); OnlyJob(registry, device).attempt < 6; wait *= 2) registry.RunDueJobs(wait);
  registry.clock().Advance(-kDay);
  ASSERT_TRUE(
      Soon([&] { return OnlyJob(registry, device).due <= registry.clock().Now() + seconds(30 * 32); }));
  EXPECT_THAT(registry.Heard(kMnoFailures), IsEmpty());
  registry.RunDueJobs(seconds(30 * 32));
  EXPECT_TRUE(HeardSoon(registry, kMnoFailures));
}

TEST(SetBackClock, TheAlarmOfDnsIsNeitherLostNorFalse) {
  TestRegistry registry;
  registry.clock().Advance(kDay);
  const std::string device = Certified(registry);
  registry.clock().Advance(-kDay);
  ASSERT_TRUE(Soon([&] { return OnlyJob(registry, device).due <= registry.clock().Now() + seconds(120); }));
  EXPECT_THAT(registry.Heard(kMnoFailures), IsEmpty()) << "DNS has had no time yet";
  registry.RunDueJobs(seconds(121));
  EXPECT_TRUE(HeardSoon(registry, kMnoFailures));
}

TEST(SetBackClock, ATransferThatNobodyAnswersIsDecidedInTime) {
  TestRegistry registry;
  registry.PublishEndpoint("asp-b", "new");
  const std::string device = registry.Activate();
  registry.clock().Advance(30 * kDay);
  const Said code = registry.Ask("asp-a", "authorisation.set", {{"device", device}, {"purpose", "transfer"}});
  ASSERT_TRUE(code.accepted()) << code.payload;
  const json request = {
      {"device", device}, {"authorisationCode", code.data().at("authorisationCode")}, {"endpoint", "new"}};
  ASSERT_TRUE(registry.Ask("asp-b", "transfer.request", request).accepted());
  registry.clock().Advance(-30 * kDay);
  const auto decision = [&] { return JobOf(registry, device, domain::JobKind::kTransferDecide); };
  ASSERT_TRUE(Soon([&] { return decision().due <= registry.clock().Now() + hours(1); }));
  const auto state = [&] { return registry.Device(device).transfer->state; };
  registry.RunDueJobs(4 * kDay);
  EXPECT_EQ(state(), domain::TransferState::kPending);
  registry.RunDueJobs(kDay);
  EXPECT_EQ(state(), domain::TransferState::kRejected);
}

TEST(SetBackClock, ReplaysAreNotLockedOut) {
  TestRegistry registry;
  registry.Register();
  registry.clock().Advance(kDay);
  ASSERT_TRUE(registry.Ask("mno-a", "feed.replay", {{"fromSeq", 1}}).accepted());
  registry.clock().Advance(-kDay);
  EXPECT_TRUE(registry.Ask("mno-a", "feed.replay", {{"fromSeq", 1}}).accepted());
  registry.clock().Advance(seconds(2));
  EXPECT_TRUE(registry.Ask("mno-a", "feed.replay", {{"fromSeq", 1}}).accepted());
}

// A plan that the policy allows is none of a clock that was ahead.
TEST(SetBackClock, WhatIsDueLaterForGoodReasonsWaits) {
  TestRegistry registry;
  const std::string device = registry.Register().device;
  ASSERT_TRUE(Attach(registry, device).accepted());
  ASSERT_TRUE(
      Report(registry, OnlyJob(registry, device), {{"stage", "waiting_device"}, {"progress", 1}}).accepted());
  const UtcTime due = OnlyJob(registry, device).due;
  registry.RunDueJobs(minutes(50));
  EXPECT_EQ(OnlyJob(registry, device).due, due);
  EXPECT_EQ(OnlyJob(registry, device).attempt, 1u);
}

}  // namespace
}  // namespace registry::test
