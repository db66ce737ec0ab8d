// do.progress and do.result: which reports count, what they move, and who may say them.
#include <gmock/gmock.h>

#include "tests/unit/workers/lifecycle/pushed.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

using domain::JobKind;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::SizeIs;

class ReportTest : public PushedTest {
 protected:
  // A job of the payload's given version, as a newer payload would have left it behind.
  domain::Job Add(std::uint64_t version) {
    domain::Job job;
    job.id = *JobId::Parse("0b2f4a52-9a6e-4a5b-8f5e-3f1d2c4b5a69");
    job.subject = *DeviceId::Parse(device_);
    job.to = *PartyId::Parse("mno-a");
    job.kind = JobKind::kPayloadPush;
    job.version = version;
    job.due = registry_.clock().Now() + hours(1);
    domain::Changeset changes;
    changes.jobs_put.push_back(job);
    REG_CHECK(registry_.ledger().Commit(std::move(changes)).ok());
    return job;
  }
  void Write(const domain::Device& device) {
    domain::Changeset changes;
    changes.devices.push_back({device, device.version});
    REG_CHECK(registry_.ledger().Commit(std::move(changes)).ok());
  }
  void Hold() {
    auto device = registry_.Device(device_);
    device.statuses.insert(domain::DeviceStatus::kClientHold);
    Write(device);
  }
};

TEST_F(ReportTest, UnknownIsAskedAgainAndNeitherBelievedNorGivenUp) {
  const auto job = Pushed();
  EXPECT_TRUE(Report(registry_, job, {{"outcome", "unknown"}}).accepted());
  EXPECT_EQ(registry_.Device(device_).state, domain::State::kPublished);
  EXPECT_EQ(Job().last_stage, "unknown");
  EXPECT_THAT(registry_.Heard(kMnoFailures), SizeIs(0));
  registry_.RunDueJobs(seconds(31));
  const auto again = registry_.Heard(kPushes);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].data().at("job"), job.id.text());
  EXPECT_EQ(again[0].data().at("attempt"), 2);
  EXPECT_TRUE(Report(registry_, job, kSuccess).accepted());
  EXPECT_EQ(registry_.Device(device_).state, domain::State::kActive);
}

TEST_F(ReportTest, ARetriableFailureIsTriedAgainUntilTheLastAttempt) {
  const auto job = Pushed();
  const json failed = {
      {"outcome", "failed"}, {"stage", "radio"}, {"reason", "device_unreachable"}, {"retriable", true}};
  for (int attempt = 1; attempt < 6; ++attempt) {
    EXPECT_TRUE(Report(registry_, job, failed).accepted());
    EXPECT_EQ(Job().last_stage, "radio");
    EXPECT_THAT(registry_.Heard(kMnoFailures), SizeIs(0)) << attempt;
    registry_.RunDueJobs(hours(2));
    ASSERT_THAT(registry_.Heard(kPushes), SizeIs(1)) << attempt;
  }
  EXPECT_TRUE(Report(registry_, job, failed).accepted());
  for (const char* feed : {kMnoFailures, kAspFailures}) {
    const auto told = registry_.Heard(feed);
    ASSERT_THAT(told, SizeIs(1)) << feed;
    EXPECT_EQ(told[0].data().at("error").at("symbol"), "device_unreachable");
    EXPECT_EQ(told[0].data().at("error").at("step"), "payload.push");
  }
  EXPECT_TRUE(Report(registry_, job, failed).accepted()) << "said again";
  EXPECT_THAT(registry_.Heard(kAspFailures), SizeIs(0)) << "and not told again";
}

TEST_F(ReportTest, AFinalFailureIsNamedByTheMnoOrForIt) {
  const auto job = Pushed();
  EXPECT_TRUE(
      Report(registry_, job, {{"outcome", "failed"}, {"stage", "applet"}, {"reason", "applet_refused"}})
          .accepted());
  auto told = registry_.Heard(kAspFailures);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("error").at("symbol"), "applet_refused");
  ASSERT_TRUE(Attach(registry_, device_).accepted());
  EXPECT_TRUE(Report(registry_, Job(), {{"outcome", "failed"}, {"stage", "applet"}}).accepted());
  told = registry_.Heard(kAspFailures);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("error").at("symbol"), "mno_failed");
  EXPECT_EQ(told[0].data().at("error").at("message"), "the MNO reports a failure at stage applet");
  EXPECT_THAT(HistoryOf(registry_, device_), Contains("payload.push failed: mno_failed"));
}

TEST_F(ReportTest, AFailureWithoutAStageIsAWholeSentence) {
  EXPECT_TRUE(Report(registry_, Pushed(), {{"outcome", "failed"}}).accepted());
  const auto told = registry_.Heard(kAspFailures);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].data().at("error").at("message"), "the MNO reports a failure");
}

TEST_F(ReportTest, AWaitingDeviceUsesUpNoAttempts) {
  const auto job = Pushed();
  EXPECT_TRUE(Report(registry_, job, {{"progress", 1}, {"stage", "waiting_device"}}).accepted());
  registry_.RunDueJobs(minutes(59));
  EXPECT_THAT(registry_.Heard(kPushes), SizeIs(0));
  EXPECT_EQ(Job().attempt, 1u);
  registry_.RunDueJobs(minutes(2));
  EXPECT_THAT(registry_.Heard(kPushes), SizeIs(1));
}

TEST_F(ReportTest, ProgressOutOfOrderSaysNothing) {
  const auto job = Pushed();
  EXPECT_TRUE(Report(registry_, job, {{"progress", 5}, {"stage", "delivered"}}).accepted());
  for (int late : {5, 3, 0}) {
    EXPECT_TRUE(Report(registry_, job, {{"progress", late}, {"stage", "queued"}}).accepted()) << late;
    EXPECT_EQ(Job().last_stage, "delivered") << late;
    EXPECT_EQ(Job().last_progress, 5u) << late;
  }
  EXPECT_TRUE(Report(registry_, job, {{"progress", 6}, {"stage", "executed"}}).accepted());
  EXPECT_EQ(Job().last_stage, "executed");
}

TEST_F(ReportTest, AJobIsReportedUnderItsOwnDevice) {
  auto job = Pushed();
  const auto other = registry_.Register();
  job.subject = *DeviceId::Parse(other.device);
  for (const json& report : {kSuccess, json{{"progress", 1}, {"stage", "queued"}}}) {
    const Said said = Report(registry_, job, report);
    EXPECT_EQ(said.symbol(), "job_of_other_device");
    EXPECT_EQ(said.code(), 2005);
    EXPECT_EQ(said.data().at("field"), "/device");
  }
  EXPECT_EQ(Job().last_progress, 0u);
  EXPECT_EQ(registry_.Device(device_).state, domain::State::kPublished);
}

TEST_F(ReportTest, OnlyTheSponsorReports) {
  const auto job = Pushed();
  for (const json& report : {kSuccess, json{{"progress", 1}, {"stage", "queued"}}}) {
    const Said said = Report(registry_, job, report, "mno-b");
    EXPECT_EQ(said.symbol(), "not_sponsor");
    EXPECT_EQ(said.code(), 2201);
  }
  EXPECT_EQ(Job().last_progress, 0u);
  EXPECT_EQ(registry_.Device(device_).state, domain::State::kPublished);
}

TEST_F(ReportTest, TheZonesJobIsNoMnos) {
  device_ = Certified(registry_);
  EXPECT_EQ(Report(registry_, JobOf(registry_, device_, JobKind::kZoneVisible), kSuccess).symbol(),
            "job_unknown");
}

TEST_F(ReportTest, AnOlderPayloadsDeliveryActivatesNothing) {
  Pushed();
  ASSERT_EQ(domain::PayloadVersion(registry_.Device(device_)), 1u);
  const auto older = Add(0);
  EXPECT_TRUE(Report(registry_, older, kSuccess).accepted());
  EXPECT_EQ(registry_.Device(device_).state, domain::State::kPublished);
  EXPECT_EQ(domain::DeliveredVersion(registry_.Device(device_)), 0u);
  EXPECT_TRUE(Report(registry_, older, kSuccess).accepted()) << "it is done with";
  EXPECT_EQ(registry_.Device(device_).state, domain::State::kPublished);
  EXPECT_TRUE(Report(registry_, Job(), kSuccess).accepted());
  EXPECT_EQ(registry_.Device(device_).state, domain::State::kActive);
}

// A fact is recorded whatever is wanted meanwhile; nor is the MNO's job given up for silence later.
TEST_F(ReportTest, APayloadDeliveredToADeviceOnHoldIsRecorded) {
  const auto job = Pushed();
  Hold();
  EXPECT_TRUE(Report(registry_, job, kSuccess).accepted());
  EXPECT_EQ(registry_.Device(device_).state, domain::State::kActive);
  EXPECT_EQ(domain::DeliveredVersion(registry_.Device(device_)), 1u);
  EXPECT_THAT(registry_.Heard("registry/v1/to/asp-a/event/device.activated"), SizeIs(1));
  for (int day = 0; day < 3; ++day) registry_.RunDueJobs(hours(24));
  EXPECT_THAT(registry_.Heard(kMnoFailures), SizeIs(0));
  EXPECT_THAT(registry_.Heard(kPushes), SizeIs(0)) << "nothing waits";
}

TEST_F(ReportTest, ADeviceOnHoldIsSeenOnTheNetworkAndAskedForNothing) {
  device_ = registry_.Register().device;
  Hold();
  EXPECT_TRUE(Attach(registry_, device_).accepted());
  EXPECT_TRUE(domain::Attached(registry_.Device(device_)));
  EXPECT_EQ(registry_.Device(device_).state, domain::State::kAttached);
  EXPECT_THAT(registry_.Heard(kActions + std::string("key.generate")), SizeIs(0));
}

// It is an action of the MNO it was sent to, whoever serves the device when it is reported.
TEST_F(ReportTest, AJobIsItsAddresseesWhenAnotherMnoServesTheDevice) {
  const auto job = Pushed();
  auto moved = registry_.Device(device_);
  moved.profiles.front().mno = *PartyId::Parse("mno-b");
  Write(moved);
  const Said foreign = Report(registry_, job, kSuccess, "mno-b");
  EXPECT_EQ(foreign.symbol(), "not_sponsor");
  EXPECT_EQ(foreign.data().at("field"), "/job") << "the sender does serve the device";
  EXPECT_TRUE(Report(registry_, job, kSuccess).accepted());
  EXPECT_EQ(registry_.Device(device_).state, domain::State::kActive);
  EXPECT_TRUE(Report(registry_, job, kSuccess).accepted()) << "and so is what is said again";
  EXPECT_EQ(Report(registry_, job, kSuccess, "mno-b").symbol(), "job_unknown");
}

TEST_F(ReportTest, ADeliveryToAnActiveDeviceIsInTheHistory) {
  device_ = registry_.Activate();
  registry_.Heard("registry/v1/to/asp-a/event/device.activated");
  EXPECT_TRUE(Report(registry_, Add(1), kSuccess).accepted());
  EXPECT_EQ(HistoryOf(registry_, device_).back(), "delivered version 1");
  EXPECT_THAT(registry_.Heard("registry/v1/to/asp-a/event/device.activated"), SizeIs(0));
}

}  // namespace
}  // namespace registry::test
