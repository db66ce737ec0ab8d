// A slow MNO: what it reports changes when it is asked again, for as long as the plan allows; and what it reports a second
// time is taken for what it is.
#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <sstream>

#include "tests/unit/workers/lifecycle/pushed.h"
#include "workers/domain/job_kinds.h"

namespace registry::test {
namespace {

using domain::JobKind;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

const json kUnknown = {{"outcome", "unknown"}};
const json kRadio = {
    {"outcome", "failed"}, {"stage", "radio"}, {"reason", "device_unreachable"}, {"retriable", true}};

json Progress(int progress, const std::string& stage) { return {{"progress", progress}, {"stage", stage}}; }

class PlanTest : public PushedTest {
 protected:
  std::size_t PushesAfter(seconds wait) {
    registry_.RunDueJobs(wait);
    return registry_.Heard(kPushes).size();
  }
  UtcTime Now() { return registry_.clock().Now(); }
};

// "seconds after the first sending" in schemas/PARTY.md; the last one is when the job is given up.
std::vector<int> PlanOnThePage() {
  std::ifstream page(REGISTRY_SOURCE_DIR "/schemas/PARTY.md");
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| seconds after the first sending |")) continue;
    std::vector<int> seconds_after;
    std::istringstream cells(line.substr(line.find('|', 1) + 1));
    for (int second = 0; cells >> second; cells.ignore(3, '|')) seconds_after.push_back(second);
    return seconds_after;
  }
  return {};
}

TEST_F(PlanTest, ASilentMnoIsAskedAsThePageSaysAndNoMore) {
  Pushed();
  std::vector<int> heard{0};
  for (int second = 10; second <= 2000; second += 10) {
    if (PushesAfter(seconds(10)) > 0) heard.push_back(second);
    if (!registry_.Heard(kMnoFailures).empty()) heard.push_back(second);
  }
  EXPECT_EQ(heard, PlanOnThePage());
}

TEST_F(PlanTest, AnyProgressPutsTheNextSendingOff) {
  const auto job = Pushed();
  for (const json& progress :
       {Progress(0, "queued"), Progress(0, "queued"), Progress(7, "submitted"), Progress(3, "queued")}) {
    EXPECT_TRUE(Report(registry_, job, progress).accepted());
    EXPECT_EQ(Job().due, Now() + minutes(10)) << progress;
    registry_.clock().Advance(minutes(5));
  }
  EXPECT_EQ(Job().attempt, 1u);
  EXPECT_THAT(registry_.Heard(kPushes), IsEmpty());
}

TEST_F(PlanTest, AWaitingDeviceIsToldWithProgressZero) {
  const auto job = Pushed();
  EXPECT_TRUE(Report(registry_, job, Progress(0, "waiting_device")).accepted());
  EXPECT_EQ(Job().due, Now() + hours(1));
  EXPECT_EQ(Job().last_stage, "waiting_device");
}

// It answers after three hours, and says every five minutes that it is at work.
TEST_F(PlanTest, ASlowMnoThatReportsIsAskedOnce) {
  const auto job = Pushed();
  std::size_t again = 0;
  for (int i = 0; i < 36; ++i) {
    EXPECT_TRUE(Report(registry_, job, Progress(i / 10, "queued")).accepted());
    again += PushesAfter(minutes(5));
  }
  EXPECT_EQ(again, 0u);
  EXPECT_TRUE(Report(registry_, job, kSuccess).accepted());
  EXPECT_EQ(registry_.Device(device_).state, domain::State::kActive);
}

// A fleet of a slow MNO, all of it under way at once: what is sent is counted per job, as the MNO would.
TEST_F(PlanTest, ASlowMnosFleetGetsEachActionNoMoreOftenThanThePlanSays) {
  registry_.PublishEndpoint();
  std::vector<std::string> devices;
  for (int i = 0; i < 20; ++i) devices.push_back(registry_.Register().device);
  for (const auto& device : devices) ASSERT_TRUE(Attach(registry_, device).accepted());
  const std::string keys = std::string(kActions) + "key.generate";
  std::map<std::string, int> sent;
  const auto count = [&] {
    for (const Said& said : registry_.Heard(keys)) ++sent[said.data().at("device")];
  };
  count();
  for (int tick = 1; tick <= 40; ++tick) {  // 20 minutes; the even ones report every five of them
    registry_.RunDueJobs(seconds(30));
    count();
    for (std::size_t i = 0; i < devices.size() && tick % 10 == 1; i += 2) {
      EXPECT_TRUE(
          Report(registry_, JobOf(registry_, devices[i], JobKind::kKeyGenerate), Progress(0, "queued"))
              .accepted());
    }
  }
  ASSERT_THAT(sent, SizeIs(20));
  for (std::size_t i = 0; i < devices.size(); ++i) {
    EXPECT_LE(sent[devices[i]], i % 2 == 0 ? 2 : 6) << i;
    EXPECT_GE(sent[devices[i]], i % 2 == 0 ? 1 : 6) << "a silent one at 0, 30, 90, 210, 450 and 930 s";
  }
}

TEST_F(PlanTest, UnknownAndRetriableFailuresMoveTheDueTime) {
  const auto job = Pushed();
  for (const json& report : {kUnknown, kRadio}) {
    registry_.clock().Advance(seconds(20));
    EXPECT_TRUE(Report(registry_, job, report).accepted());
    EXPECT_EQ(Job().due, Now() + seconds(30)) << report;
  }
  EXPECT_EQ(PushesAfter(seconds(31)), 1u);
  EXPECT_TRUE(Report(registry_, job, kUnknown).accepted());
  EXPECT_EQ(Job().due, Now() + seconds(60));
}

TEST_F(PlanTest, AKeyThatWasMadeIsNotAskedForWhileItsCsrIsOnTheWay) {
  const auto device = registry_.Register().device;
  ASSERT_TRUE(Attach(registry_, device).accepted());
  const auto job = JobOf(registry_, device, JobKind::kKeyGenerate);
  EXPECT_TRUE(Report(registry_, job, kSuccess).accepted());
  EXPECT_EQ(OnlyJob(registry_, device).due, Now() + minutes(10));
}

TEST_F(PlanTest, WhoReportsForEverKeepsNoJobForEver) {
  const auto job = Pushed();
  std::size_t again = 0;
  int reports = 0;
  const auto ended = [&] { return registry_.ledger().LoadJob(job.id)->has_value() == false; };
  for (; !ended() && reports < 1000; ++reports) {
    Report(registry_, job, Progress(0, "waiting_device"));
    again += PushesAfter(minutes(20));
  }
  EXPECT_EQ(again, 5u) << "the rest of the plan, once";
  EXPECT_GE(reports, 7 * 24 * 3 - 1);
  EXPECT_LE(reports, 7 * 24 * 3 + 6) << "seven days, and the plan of a silent MNO behind them";
  const auto told = registry_.Heard(kAspFailures);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("error").at("symbol"), "mno_silent");
}

TEST_F(PlanTest, AClockSetBackGivesNobodyMoreThanTheBound) {
  registry_.clock().Advance(hours(24 * 365));
  const auto job = Pushed();
  registry_.clock().Advance(-hours(24 * 365));
  EXPECT_TRUE(Report(registry_, job, Progress(0, "waiting_device")).accepted());
  EXPECT_LE(Job().due, Now() + hours(1));
  EXPECT_LE(Job().sent, Now()) << "the bound counts from here";
}

TEST_F(PlanTest, AnMnoHasAPlanOfItsOwn) {
  domain::RetryPlans plans;
  plans.own[*PartyId::Parse("mno-a")] = {seconds(900), 2, seconds(3600), seconds(7200), 10};
  registry_.Restart(plans);
  const auto job = Pushed();
  EXPECT_EQ(job.due, Now() + seconds(900));
  EXPECT_TRUE(Report(registry_, job, Progress(0, "queued")).accepted());
  EXPECT_EQ(Job().due, Now() + seconds(3600));
  EXPECT_EQ(PushesAfter(seconds(3601)), 1u);
  EXPECT_TRUE(Report(registry_, job, Progress(0, "queued")).accepted());
  EXPECT_EQ(Job().due, Now() + seconds(3599)) << "two hours after the first sending";
  EXPECT_EQ(PushesAfter(seconds(3600)), 0u);
  EXPECT_THAT(registry_.Heard(kMnoFailures), SizeIs(1)) << "after the second";
}

class RepeatTest : public PlanTest {};

TEST_F(RepeatTest, AResultSaidAgainIsNotedAndDoesNothing) {
  const auto job = Pushed();
  EXPECT_TRUE(Report(registry_, job, kSuccess).accepted());
  const auto version = registry_.Device(device_).version;
  for (const json& report : {kSuccess, kUnknown, kRadio, Progress(5, "executed")}) {
    const Said said = Report(registry_, job, report);
    EXPECT_TRUE(said.accepted()) << said.payload;
    EXPECT_EQ(said.data().at("job"), job.id.text());
  }
  EXPECT_EQ(registry_.Device(device_).version, version);
  EXPECT_EQ(registry_.Device(device_).state, domain::State::kActive);
  EXPECT_THAT(registry_.Heard(kMnoFailures), IsEmpty());
  registry_.Restart();
  EXPECT_TRUE(Report(registry_, job, kSuccess).accepted()) << "it is remembered in the ledger";
}

TEST_F(RepeatTest, SoIsWhatIsReportedOfAJobThatWasCalledOffOrWhoseCsrCame) {
  const auto device = registry_.Register();
  registry_.PublishEndpoint();
  ASSERT_TRUE(Claim(registry_, device).accepted() && Attach(registry_, device.device).accepted());
  const auto key = JobOf(registry_, device.device, JobKind::kKeyGenerate);
  ASSERT_TRUE(
      registry_.Ask("mno-a", "csr.submit", {{"device", device.device}, {"csr", NewCsrPem()}}).accepted());
  EXPECT_TRUE(Report(registry_, key, kSuccess).accepted());
  registry_.ServeZone();
  const auto push = JobOf(registry_, device.device, JobKind::kPayloadPush);
  ASSERT_TRUE(registry_.Ask("asp-a", "device.deactivate", {{"device", device.device}}).accepted());
  EXPECT_TRUE(Report(registry_, push, kSuccess).accepted());
  EXPECT_EQ(registry_.Device(device.device).state, domain::State::kDeactivated);
}

// Nobody learns of a job or a device that is not its own, by being answered in another way.
TEST_F(RepeatTest, ToOthersAJobThatEndedIsNone) {
  const auto job = Pushed();
  EXPECT_TRUE(Report(registry_, job, kSuccess).accepted());
  EXPECT_EQ(Report(registry_, job, kSuccess, "mno-b").symbol(), "job_unknown");
  auto other = job;
  other.id = *JobId::Parse("0b2f4a52-9a6e-4a5b-8f5e-3f1d2c4b5a69");
  EXPECT_EQ(Report(registry_, other, kSuccess).symbol(), "job_unknown") << "never sent";
  other = job;
  other.subject = *DeviceId::Parse(registry_.Register().device);
  EXPECT_EQ(Report(registry_, other, kSuccess).symbol(), "job_unknown") << "another device's";
}

TEST_F(RepeatTest, AJobThatWasGivenUpIsUnknown) {
  const auto job = Pushed();
  for (auto wait = seconds(30); wait <= seconds(960); wait *= 2) registry_.RunDueJobs(wait);
  EXPECT_EQ(Report(registry_, job, kSuccess).symbol(), "job_unknown") << "noted would be taken for delivered";
}

TEST_F(RepeatTest, TheLastEightAreRemembered) {
  const auto device = registry_.Register().device;
  std::vector<domain::Job> jobs;
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(Attach(registry_, device).accepted());
    jobs.push_back(OnlyJob(registry_, device));
    ASSERT_TRUE(Report(registry_, jobs.back(), {{"outcome", "failed"}, {"stage", "applet"}}).accepted());
  }
  EXPECT_EQ(Report(registry_, jobs[0], kSuccess).symbol(), "job_unknown");
  for (int i = 1; i < 9; ++i) EXPECT_TRUE(Report(registry_, jobs[i], kSuccess).accepted()) << i;
}

}  // namespace
}  // namespace registry::test
