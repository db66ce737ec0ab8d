#include "workers/jobs/sending.h"

#include <algorithm>

#include "schemas/base/check.h"
#include "schemas/wire/set_members.h"
#include "workers/domain/job_kinds.h"

namespace registry::jobs {

using domain::Changeset;
using domain::Context;
using domain::Job;
using domain::RetryPlan;
using domain::RetryPlans;
using domain::View;

namespace {

constexpr std::chrono::seconds kBackoffMax{86400};
constexpr std::chrono::seconds kAlarmWaitMax{7200};

UtcTime FirstSent(const Job& job) { return job.sent.micros > 0 ? job.sent : job.created; }

const PartyId& AddresseeOf(const Job& job) {
  REG_CHECK(job.to.has_value());
  return *job.to;
}

// How many of an MNO's jobs are open once `changes` is written, as far as it opens some.
std::size_t OpenWith(const Changeset& changes, const domain::JobLoad& load, const PartyId& mno) {
  const auto opens = [&](const Job& job) { return job.to == mno && !job.unsent; };
  return load.open +
         static_cast<std::size_t>(std::count_if(changes.jobs_put.begin(), changes.jobs_put.end(), opens));
}

void Say(Job job, const Context& context, const RetryPlans& retry, Changeset& changes) {
  job.due = context.now + Backoff(retry.Of(AddresseeOf(job)), job.attempt);
  job.told = job.due;
  job.body = wire::SetMembers(
      job.body, {{"attempt", std::to_string(job.attempt)}, {"deadline", '"' + ToRfc3339(job.told) + '"'}});
  changes.messages.push_back(
      domain::Action(AddresseeOf(job), domain::JobKindName(job.kind), job.body, context));
  changes.jobs_put.push_back(std::move(job));
}

// The bound goes with it: by the time this is written others may have taken the room.
void SayFirst(Job job, const Context& context, const RetryPlans& retry, Changeset& changes) {
  job.unsent = false;
  job.sent = context.now;
  changes.open_bounds.push_back({AddresseeOf(job), retry.Of(AddresseeOf(job)).open_max});
  Say(std::move(job), context, retry, changes);
}

// Of any MNO's job, whatever is reported of it.
std::chrono::seconds LongestWait(const RetryPlans& retry) {
  const auto longest_of = [](const RetryPlan& plan) {
    return std::max(Backoff(plan, plan.attempts_max), plan.progress);
  };
  auto longest = std::max<std::chrono::seconds>(longest_of(retry.usual), kDeviceWait);
  for (const auto& [mno, plan] : retry.own) longest = std::max(longest, longest_of(plan));
  return longest;
}

// The clock was ahead and has been set back: what it said then is no bound. Twice the longest wait, since a clock that is
// put right by a little shortens nobody's wait.
void ForgetTheFuture(Job& job, const RetryPlans& retry, UtcTime now) {
  if (FirstSent(job) > now) job.sent = now;
  if (job.due > now + 2 * LongestWait(retry)) job.due = now;
}

}  // namespace

Status Send(Job job, const PartyId& to, const View& view, const Context& context, const RetryPlans& retry,
            Changeset& changes) {
  job.to = to;
  const auto load = view.LoadOf(to);
  if (!load) return load.error();
  if (OpenWith(changes, *load, to) < retry.Of(to).open_max && load->unsent == 0) {
    SayFirst(std::move(job), context, retry, changes);
    return Done{};
  }
  job.unsent = true;
  job.due = context.now;
  changes.jobs_put.push_back(std::move(job));
  return Done{};
}

Status SendKept(Job job, const View& view, const Context& context, const RetryPlans& retry,
                Changeset& changes) {
  const PartyId& to = AddresseeOf(job);
  const auto load = view.LoadOf(to);
  if (!load) return load.error();
  if (OpenWith(changes, *load, to) >= retry.Of(to).open_max) return Done{};
  SayFirst(std::move(job), context, retry, changes);
  return Done{};
}

void SendAgain(Job job, const Context& context, const RetryPlans& retry, Changeset& changes) {
  ++job.attempt;
  Say(std::move(job), context, retry, changes);
}

void Repeat(Job job, const Context& context, const RetryPlans& retry, Changeset& changes) {
  Say(std::move(job), context, retry, changes);
}

bool WorthSendingAgain(const Job& job, const RetryPlans& retry) {
  return job.wanted && job.attempt < retry.Of(AddresseeOf(job)).attempts_max;
}

void PutOff(Job& job, std::chrono::seconds wait, const RetryPlans& retry, UtcTime now) {
  if (!job.wanted) return;
  ForgetTheFuture(job, retry, now);
  job.due = std::min(now + wait, std::max(job.due, FirstSent(job) + retry.Of(AddresseeOf(job)).reported));
}

void PutOffAtLeast(Job& job, std::chrono::seconds wait, const RetryPlans& retry, UtcTime now) {
  if (!job.wanted) return;
  ForgetTheFuture(job, retry, now);
  if (job.due < now + wait) PutOff(job, wait, retry, now);
}

std::chrono::seconds Backoff(const RetryPlan& plan, std::uint32_t attempt) {
  const auto doublings = std::min<std::uint32_t>(attempt > 0 ? attempt - 1 : 0, 20);
  return std::min(plan.first * (std::int64_t{1} << doublings), kBackoffMax);
}

std::chrono::seconds AlarmWait(std::chrono::seconds within, std::uint32_t attempt) {
  return std::min(within * std::int64_t{attempt}, std::max(within, kAlarmWaitMax));
}

UtcTime LatestDue(const RetryPlans& retry, std::chrono::seconds visible_within, UtcTime now) {
  return now + std::max(LongestWait(retry), AlarmWait(visible_within, UINT32_MAX));
}

}  // namespace registry::jobs
