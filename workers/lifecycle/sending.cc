#include "workers/lifecycle/sending.h"

#include <algorithm>

#include "workers/domain/standing.h"

namespace registry::lifecycle {

using domain::Changeset;
using domain::Device;
using domain::Job;
using domain::RetryPlan;

namespace {

constexpr std::chrono::seconds kBackoffMax{86400};
constexpr std::chrono::seconds kAlarmWaitMax{7200};

UtcTime FirstSent(const Job& job) { return job.sent.micros > 0 ? job.sent : job.created; }

// How many of an MNO's jobs are open once `changes` is written, as far as it opens some.
std::size_t OpenWith(const Changeset& changes, const domain::JobLoad& load, const PartyId& mno) {
  const auto opens = [&](const Job& job) { return job.mno == mno && !job.unsent; };
  return load.open +
         static_cast<std::size_t>(std::count_if(changes.jobs_put.begin(), changes.jobs_put.end(), opens));
}

void Say(Job job, const Device& device, const Context& context, const Policy& policy, Changeset& changes) {
  job.mno = domain::Sponsor(device);
  job.due = context.now + Backoff(policy.retry.Of(domain::Sponsor(device)), job.attempt);
  auto data = nlohmann::json::parse(job.body);
  data["attempt"] = job.attempt;
  data["deadline"] = ToRfc3339(job.due);
  job.body = data.dump();
  changes.messages.push_back(
      domain::Action(domain::Sponsor(device), domain::JobKindName(job.kind), job.body, context));
  changes.jobs_put.push_back(std::move(job));
}

// The bound goes with it: by the time this is written others may have taken the room.
void SayFirst(Job job, const Device& device, const Context& context, const Policy& policy,
              Changeset& changes) {
  job.unsent = false;
  job.sent = context.now;
  changes.open_bounds.push_back({domain::Sponsor(device), policy.retry.Of(domain::Sponsor(device)).open_max});
  Say(std::move(job), device, context, policy, changes);
}

// The clock was ahead and has been set back: what it said then is no bound.
void ForgetTheFuture(Job& job, const Policy& policy, UtcTime now) {
  if (FirstSent(job) > now) job.sent = now;
  if (job.due > LatestDue(policy, now)) job.due = now;
}

}  // namespace

Status Send(Job job, const Device& device, const View& view, const Context& context, const Policy& policy,
            Changeset& changes) {
  const auto load = view.LoadOf(domain::Sponsor(device));
  if (!load) return load.error();
  const bool room =
      OpenWith(changes, *load, domain::Sponsor(device)) < policy.retry.Of(domain::Sponsor(device)).open_max &&
      load->unsent == 0;
  if (room) {
    SayFirst(std::move(job), device, context, policy, changes);
    return Done{};
  }
  job.mno = domain::Sponsor(device);
  job.unsent = true;
  job.due = context.now;
  changes.jobs_put.push_back(std::move(job));
  return Done{};
}

Status SendKept(Job job, const Device& device, const View& view, const Context& context, const Policy& policy,
                Changeset& changes) {
  const auto load = view.LoadOf(domain::Sponsor(device));
  if (!load) return load.error();
  if (OpenWith(changes, *load, domain::Sponsor(device)) >= policy.retry.Of(domain::Sponsor(device)).open_max)
    return Done{};
  SayFirst(std::move(job), device, context, policy, changes);
  return Done{};
}

void SendAgain(Job job, const Device& device, const Context& context, const Policy& policy,
               Changeset& changes) {
  ++job.attempt;
  Say(std::move(job), device, context, policy, changes);
}

void PutOff(Job& job, std::chrono::seconds wait, const Policy& policy, UtcTime now) {
  ForgetTheFuture(job, policy, now);
  const auto reported = policy.retry.Of(job.mno.value_or(PartyId())).reported;
  job.due = std::min(now + wait, std::max(job.due, FirstSent(job) + reported));
}

void PutOffAtLeast(Job& job, std::chrono::seconds wait, const Policy& policy, UtcTime now) {
  ForgetTheFuture(job, policy, now);
  if (job.due < now + wait) PutOff(job, wait, policy, now);
}

std::chrono::seconds Backoff(const RetryPlan& plan, std::uint32_t attempt) {
  const auto doublings = std::min<std::uint32_t>(attempt > 0 ? attempt - 1 : 0, 20);
  return std::min(plan.first * (std::int64_t{1} << doublings), kBackoffMax);
}

std::chrono::seconds AlarmWait(const Policy& policy, std::uint32_t attempt) {
  return std::min(policy.visible_within * std::int64_t{attempt},
                  std::max(policy.visible_within, kAlarmWaitMax));
}

UtcTime LatestDue(const Policy& policy, UtcTime now) {
  const auto longest_of = [](const RetryPlan& plan) {
    return std::max(Backoff(plan, plan.attempts_max), plan.progress);
  };
  std::chrono::seconds longest = std::max(
      {longest_of(policy.retry.usual), AlarmWait(policy, UINT32_MAX), std::chrono::seconds(kDeviceWait)});
  for (const auto& [mno, plan] : policy.retry.own) longest = std::max(longest, longest_of(plan));
  return now + longest;
}

}  // namespace registry::lifecycle
