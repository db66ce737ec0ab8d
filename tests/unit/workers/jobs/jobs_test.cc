// A job is its addressee's for ever, and one that is not wanted any more ends when its addressee was told it would.
#include "workers/jobs/jobs.h"

#include <gtest/gtest.h>

#include "workers/jobs/sending.h"

namespace registry::jobs {
namespace {

using domain::Changeset;
using domain::Job;
using domain::JobKind;
using std::chrono::seconds;

constexpr UtcTime kNow{1'780'000'000'000'000};
const PartyId kMno = *PartyId::Parse("mno-a");

Job Sent() {
  Job job;
  job.id = *JobId::Parse("0b2f4a52-9a6e-4a5b-8f5e-3f1d2c4b5a69");
  job.kind = JobKind::kAppletWipe;
  job.body = "{}";
  job.to = kMno;
  job.created = job.sent = kNow;
  job.due = job.told = kNow + seconds(30);
  return job;
}

domain::Context At(UtcTime now) {
  return {now, [](std::uint8_t* out, std::size_t size) { std::fill_n(out, size, std::uint8_t{7}); }, {}};
}

TEST(Jobs, OneNoLongerWantedEndsWhenItsAddresseeWasTold) {
  Job put_off = Sent();
  PutOff(put_off, seconds(3600), {}, kNow);
  EXPECT_EQ(put_off.due, kNow + seconds(3600));
  Changeset changes;
  EXPECT_TRUE(StopWanting(put_off, changes));
  ASSERT_EQ(changes.jobs_put.size(), 1u);
  Job unwanted = changes.jobs_put[0];
  EXPECT_FALSE(unwanted.wanted);
  EXPECT_EQ(unwanted.due, put_off.told);
  PutOff(unwanted, seconds(3600), {}, kNow);
  PutOffAtLeast(unwanted, seconds(3600), {}, kNow);
  EXPECT_EQ(unwanted.due, put_off.told) << "nothing puts it off";
  EXPECT_FALSE(WorthSendingAgain(unwanted, {}));
  WantAgain(unwanted, changes);
  ASSERT_EQ(changes.jobs_put.size(), 2u);
  EXPECT_TRUE(WorthSendingAgain(changes.jobs_put[1], {}));
}

TEST(Jobs, AClockPutRightByALittleBringsNoSendingCloser) {
  Job job = Sent();
  PutOff(job, kDeviceWait, {}, kNow);
  PutOffAtLeast(job, seconds(600), {}, kNow - seconds(2));
  EXPECT_EQ(job.due, kNow + kDeviceWait);
  PutOffAtLeast(job, seconds(600), {}, kNow - seconds(86400));
  EXPECT_EQ(job.due, kNow - seconds(86400) + seconds(600)) << "a day is no little";
}

TEST(Jobs, OneThatNobodyWasSentIsCalledOff) {
  Job kept = Sent();
  kept.unsent = true;
  Changeset changes;
  EXPECT_FALSE(StopWanting(kept, changes));
  EXPECT_EQ(changes.jobs_erase, std::vector{kept.id});
  EXPECT_TRUE(changes.jobs_put.empty());
}

TEST(Jobs, EverySendingTellsItsDeadline) {
  Changeset changes;
  SendAgain(Sent(), At(kNow + seconds(30)), {}, changes);
  ASSERT_EQ(changes.jobs_put.size(), 1u);
  const Job& job = changes.jobs_put[0];
  EXPECT_EQ(job.attempt, 2u);
  EXPECT_EQ(job.told, job.due);
  EXPECT_EQ(job.to, kMno);
  ASSERT_EQ(changes.messages.size(), 1u);
  EXPECT_NE(changes.messages[0].payload.find(ToRfc3339(job.told)), std::string::npos);
}

}  // namespace
}  // namespace registry::jobs
