#include "simulators/mno/errands.h"

#include <gtest/gtest.h>

namespace registry::sim {
namespace {

using std::chrono::milliseconds;

const Errand::Clock::time_point kStart{};

Errand MakeErrand(const char* job) {
  Errand errand;
  errand.job = JobId::Parse(job).value();
  errand.iccid = "8901";
  errand.begun = kStart;
  errand.next = kStart + milliseconds(100);
  errand.end = kStart + milliseconds(1000);
  return errand;
}

constexpr const char* kJob = "0b5e4c1e-8f0a-4c39-9a51-111111111111";

TEST(ErrandsTest, AnErrandIsRepeatedUntilTheDeviceAnswers) {
  Errands errands{milliseconds(100)};
  errands.Begin(MakeErrand(kJob));
  const JobId job = JobId::Parse(kJob).value();
  EXPECT_TRUE(errands.TakeDue(kStart + milliseconds(50)).again.empty());
  EXPECT_EQ(errands.TakeDue(kStart + milliseconds(100)).again.size(), 1u);
  EXPECT_EQ(errands.TakeDue(kStart + milliseconds(200)).again.size(), 1u);
  ASSERT_TRUE(errands.Finish(job, {{"csr", "x"}}).has_value());
  EXPECT_TRUE(errands.TakeDue(kStart + milliseconds(300)).again.empty());
}

TEST(ErrandsTest, AFinishedJobRemembersItsFirstAnswer) {
  Errands errands{milliseconds(100)};
  errands.Begin(MakeErrand(kJob));
  const JobId job = JobId::Parse(kJob).value();
  EXPECT_TRUE(errands.Running(job));
  EXPECT_EQ(errands.FindAnswer(job), nullptr);
  errands.Finish(job, {{"csr", "first"}});
  EXPECT_FALSE(errands.Finish(job, {{"csr", "second"}}).has_value());
  EXPECT_FALSE(errands.Running(job));
  EXPECT_EQ((*errands.FindAnswer(job))["csr"], "first");
}

TEST(ErrandsTest, AFailureThatInvitesToTryAgainIsNotRemembered) {
  Errands errands{milliseconds(100)};
  const JobId job = JobId::Parse(kJob).value();
  errands.Begin(MakeErrand(kJob));
  ASSERT_TRUE(errands.Finish(job, {{"outcome", "failed"}, {"retriable", true}}).has_value());
  EXPECT_EQ(errands.FindAnswer(job), nullptr) << "the same job goes over the radio again";
  errands.Begin(MakeErrand(kJob));
  ASSERT_TRUE(errands.Finish(job, {{"outcome", "success"}, {"retriable", false}}).has_value());
  EXPECT_EQ((*errands.FindAnswer(job))["outcome"], "success");
}

TEST(ErrandsTest, ANewLifeEndsTheWipesOfThatDeviceOnly) {
  Errands errands{milliseconds(100)};
  const DeviceId device = DeviceId::Parse("5672476c-e9aa-4aa3-9cfd-2aef76f44f0f").value();
  Errand wipe = MakeErrand(kJob);
  wipe.kind = ErrandKind::kWipe;
  wipe.device = device;
  Errand other = MakeErrand("0b5e4c1e-8f0a-4c39-9a51-222222222222");
  other.kind = ErrandKind::kWipe;
  other.device = DeviceId::Parse("0672476c-e9aa-4aa3-9cfd-2aef76f44f0f").value();
  Errand payload = MakeErrand("0b5e4c1e-8f0a-4c39-9a51-333333333333");
  payload.kind = ErrandKind::kPayload;
  payload.device = device;
  for (const Errand& errand : {wipe, other, payload}) errands.Begin(errand);
  EXPECT_EQ(errands.EndWipes(device), std::vector<JobId>{wipe.job});
  EXPECT_FALSE(errands.Running(wipe.job));
  ASSERT_NE(errands.FindAnswer(wipe.job), nullptr) << "asked for again, it is not carried out";
  EXPECT_EQ((*errands.FindAnswer(wipe.job))["outcome"], "failed");
  EXPECT_TRUE(errands.Running(other.job));
  EXPECT_TRUE(errands.Running(payload.job));
}

TEST(ErrandsTest, EachErrandHasATurnOfItsOwn) {
  Errands errands{milliseconds(100)};
  EXPECT_EQ(errands.NextTurn(kStart), kStart + milliseconds(100));
  errands.Begin(MakeErrand(kJob));
  Errand late = MakeErrand("0b5e4c1e-8f0a-4c39-9a51-222222222222");
  late.next = kStart + milliseconds(150);
  errands.Begin(late);
  Errand soon = MakeErrand("0b5e4c1e-8f0a-4c39-9a51-333333333333");
  soon.next = kStart + milliseconds(20);
  errands.Begin(soon);
  EXPECT_EQ(errands.NextTurn(kStart), kStart + milliseconds(20));
  const auto first = errands.TakeDue(kStart + milliseconds(20));
  ASSERT_EQ(first.again.size(), 1u);
  EXPECT_EQ(first.again.front().job, soon.job);
  EXPECT_EQ(first.next, kStart + milliseconds(100));
  EXPECT_EQ(errands.TakeDue(kStart + milliseconds(150)).again.size(), 3u);
  errands.Finish(late.job, {{"outcome", "success"}});
  EXPECT_EQ(errands.TakeDue(kStart + milliseconds(250)).again.size(), 2u);
}

TEST(ErrandsTest, AJobThatBeginsAnewHasOneTurn) {
  Errands errands{milliseconds(100)};
  errands.Begin(MakeErrand(kJob));
  Errand again = MakeErrand(kJob);
  again.next = kStart + milliseconds(400);
  errands.Begin(again);
  EXPECT_TRUE(errands.TakeDue(kStart + milliseconds(300)).again.empty());
  EXPECT_EQ(errands.TakeDue(kStart + milliseconds(400)).again.size(), 1u);
}

TEST(ErrandsTest, PatienceEnds) {
  Errands errands{milliseconds(100)};
  errands.Begin(MakeErrand(kJob));
  const auto due = errands.TakeDue(kStart + milliseconds(1000));
  EXPECT_TRUE(due.again.empty());
  ASSERT_EQ(due.ended.size(), 1u);
  EXPECT_GT(due.next, kStart + milliseconds(1000));
}

}  // namespace
}  // namespace registry::sim
