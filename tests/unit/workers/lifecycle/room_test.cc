// How much one MNO has to do at once: what is over its bound waits in order, through restarts, and goes out when
// something ends; whatever the MNO does or leaves undone.
#include <gmock/gmock.h>

#include <algorithm>
#include <thread>

#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/domain/job_kinds.h"

namespace registry::test {
namespace {

using domain::JobKind;
using std::chrono::hours;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kKeys = std::string(kActions) + "key.generate";
const std::string kWipes = std::string(kActions) + "applet.wipe";
const json kNoKey = {{"outcome", "failed"}, {"stage", "applet"}, {"reason", "applet_refused"}};

domain::RetryPlans Room(std::size_t open_max) {
  domain::RetryPlans plans;
  plans.own[*PartyId::Parse("mno-a")].open_max = open_max;
  return plans;
}

class RoomTest : public testing::Test {
 protected:
  std::vector<std::string> Attached(std::size_t count) {
    std::vector<std::string> devices;
    for (std::size_t i = 0; i < count; ++i) {
      devices.push_back(registry_.Register().device);
      registry_.clock().Advance(std::chrono::milliseconds(1));
      EXPECT_TRUE(Attach(registry_, devices.back()).accepted());
    }
    return devices;
  }
  // Devices whose key was asked for, in order, once `count` are or the deadline has passed. The clock stands still.
  std::vector<std::string> Asked(std::size_t count, const std::string& action = kKeys) {
    std::vector<std::string> devices;
    const auto until = std::chrono::steady_clock::now() + seconds(20);
    while (devices.size() < count && std::chrono::steady_clock::now() < until) {
      for (const Said& said : registry_.Heard(action)) devices.push_back(said.data().at("device"));
      std::this_thread::yield();
    }
    return devices;
  }
  domain::JobLoad Load() { return *registry_.ledger().LoadOf(*PartyId::Parse("mno-a")); }
  domain::Job Key(const std::string& device) { return JobOf(registry_, device, JobKind::kKeyGenerate); }

  TestRegistry registry_{TestRegistry::Setup{.retry = Room(2)}};
};

TEST_F(RoomTest, WhatIsOverTheBoundGoesOutInOrderAsOthersEnd) {
  const auto devices = Attached(5);
  EXPECT_EQ(Asked(2), (std::vector{devices[0], devices[1]}));
  EXPECT_EQ(Load(), (domain::JobLoad{2, 3}));
  EXPECT_TRUE(registry_
                  .Ask("mno-a", "csr.submit",
                       {{"device", devices[1]}, {"csr", NewCsrPem()}, {"job", Key(devices[1]).id.text()}})
                  .accepted());
  EXPECT_EQ(Asked(1), std::vector{devices[2]});
  EXPECT_TRUE(Report(registry_, Key(devices[0]), kNoKey).accepted());
  EXPECT_EQ(Asked(1), std::vector{devices[3]});
  EXPECT_EQ(Load(), (domain::JobLoad{2, 1}));
  EXPECT_EQ(Key(devices[3]).attempt, 1u) << "waiting used up none";
  EXPECT_EQ(Key(devices[3]).due, registry_.clock().Now() + seconds(30))
      << "and the plan begins when it is sent";
}

TEST_F(RoomTest, ANewJobOvertakesNoneThatWaits) {
  const auto devices = Attached(3);
  const auto failed = Key(devices[0]);
  Asked(2);
  EXPECT_TRUE(Report(registry_, failed, kNoKey).accepted());
  EXPECT_EQ(Asked(1), std::vector{devices[2]});
  EXPECT_TRUE(Attach(registry_, devices[0]).accepted());  // asks for its key again
  EXPECT_EQ(Load(), (domain::JobLoad{2, 1}));
}

TEST_F(RoomTest, WhatWaitsIsThereAfterARestart) {
  const auto devices = Attached(3);
  Asked(2);
  registry_.Restart();
  EXPECT_EQ(Load(), (domain::JobLoad{2, 1}));
  EXPECT_TRUE(Report(registry_, Key(devices[0]), kNoKey).accepted());
  EXPECT_EQ(Asked(1), std::vector{devices[2]});
}

// With its [[party]] its own plan goes, and the usual one carries on.
TEST_F(RoomTest, WhatWaitsForAPartyThatIsConfiguredNoLongerGoesTheUsualWay) {
  const auto devices = Attached(3);
  Asked(2);
  registry_.Restart({});
  EXPECT_EQ(Asked(1), std::vector{devices[2]});
  EXPECT_EQ(Load(), (domain::JobLoad{3, 0}));
}

TEST_F(RoomTest, AnMnoThatNeverAnswersBlocksNothingForEver) {
  const auto devices = Attached(3);
  EXPECT_THAT(Asked(2), SizeIs(2));
  std::size_t repeats = 0;
  std::vector<std::string> released;
  for (auto wait = seconds(30); wait <= seconds(960); wait *= 2) {
    registry_.RunDueJobs(wait);
    for (const Said& said : registry_.Heard(kKeys)) {
      const bool third = said.data().at("device") == devices[2];
      third ? released.push_back(devices[2]) : void(++repeats);
    }
  }
  EXPECT_EQ(repeats, 10u) << "five of each";
  EXPECT_THAT(registry_.Heard(kMnoFailures), SizeIs(2));
  if (released.empty()) released = Asked(1);
  EXPECT_EQ(released, std::vector{devices[2]}) << "their end makes room";
  EXPECT_EQ(Load(), (domain::JobLoad{1, 0}));
}

// A clock that is set back or ahead moves no job that was never sent: it waits for room, not for a time.
TEST_F(RoomTest, AClockStepSendsNothingThatWaits) {
  const auto devices = Attached(3);
  Asked(2);
  for (const auto step : {hours(-48), hours(24)}) {
    registry_.clock().Advance(step);
    EXPECT_TRUE(Report(registry_, Key(devices[0]), {{"progress", 1}, {"stage", "queued"}}).accepted());
    EXPECT_TRUE(Key(devices[2]).unsent);
  }
  EXPECT_TRUE(Report(registry_, Key(devices[0]), kNoKey).accepted());
  // The day that passed made the other two due: they may be asked again first.
  bool asked = false;
  for (int i = 0; i < 5 && !asked; ++i) {
    const auto next = Asked(1);
    asked = std::find(next.begin(), next.end(), devices[2]) != next.end();
  }
  EXPECT_TRUE(asked);
}

TEST_F(RoomTest, WhatWasNeverSentIsCalledOffWithoutATrace) {
  registry_.PublishEndpoint();
  const auto third = registry_.Register();
  ASSERT_TRUE(Claim(registry_, third).accepted());
  const auto devices = Attached(2);
  ASSERT_TRUE(Attach(registry_, third.device).accepted());
  Asked(2);
  const auto unsent = Key(third.device);
  ASSERT_TRUE(unsent.unsent);
  EXPECT_EQ(Report(registry_, unsent, kNoKey).symbol(), "job_unknown") << "nobody was told of it";
  EXPECT_EQ(Report(registry_, unsent, {{"progress", 1}, {"stage", "queued"}}).symbol(), "job_unknown");
  const json id = {{"device", third.device}};
  EXPECT_TRUE(registry_.Ask("asp-a", "device.deactivate", id).accepted());
  EXPECT_EQ(Report(registry_, unsent, kNoKey).symbol(), "job_unknown");
  EXPECT_TRUE(JobOf(registry_, third.device, JobKind::kAppletWipe).unsent);
  // Nobody was asked to wipe it, so nobody need be waited for.
  EXPECT_TRUE(registry_.Ask("asp-a", "device.reactivate", id).accepted());
  EXPECT_TRUE(Key(third.device).unsent);
  EXPECT_TRUE(Report(registry_, Key(devices[0]), kNoKey).accepted());
  EXPECT_EQ(Asked(1), std::vector{third.device});
  EXPECT_THAT(registry_.Heard(kWipes), IsEmpty());
}

// All lanes at once, each with the last room before its eyes.
TEST(Room, IsGivenOutOnceHoweverManyAskAtOnce) {
  TestRegistry registry(TestRegistry::Setup{.lanes = 16, .retry = Room(3)});
  std::vector<std::string> devices;
  for (int i = 0; i < 48; ++i) devices.push_back(registry.Register().device);
  int number = 0;
  for (const std::string& device : devices) {
    const json attach = {{"specversion", "1.0"},
                         {"id", "attach-" + std::to_string(++number)},
                         {"source", "mno-a"},
                         {"type", "registry.v1.device.attach"},
                         {"datacontenttype", "application/json"},
                         {"data", {{"device", device}}}};
    registry.Send({"registry/v1/from/mno-a/device.attach", attach.dump(), "", ""});
  }
  registry.WaitUntilRead();
  EXPECT_TRUE(registry.Counted("accepted", 96));
  EXPECT_EQ(*registry.ledger().LoadOf(*PartyId::Parse("mno-a")), (domain::JobLoad{3, 45}));
  EXPECT_THAT(registry.Heard(kKeys), SizeIs(3));
}

}  // namespace
}  // namespace registry::test
