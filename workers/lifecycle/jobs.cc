#include "workers/lifecycle/jobs.h"

#include <algorithm>

#include "workers/lifecycle/access.h"

namespace registry::lifecycle {

using domain::Changeset;
using domain::Device;
using domain::Job;
using domain::JobKind;

namespace {

constexpr std::chrono::seconds kBackoffMax{86400};

template <class ActionMessage>
void Ask(const Device& device, JobKind kind, const Context& context, const Policy& policy,
         Changeset& changes) {
  Job job;
  job.id = domain::NewJobId(context);
  job.device = device.id;
  job.kind = kind;
  job.created = context.now;
  job.due = context.now + Backoff(policy, 1);
  ActionMessage action;
  action.job = job.id;
  action.device = device.id;
  action.deadline = job.due;
  job.body = wire::Encode(action).dump();
  job.traceparent = context.traceparent;
  changes.messages.push_back(domain::Action(device.sponsor, domain::JobKindName(kind), job.body, context));
  changes.jobs_put.push_back(std::move(job));
}

template <class Which>
Status EraseWhere(const Device& device, const View& view, Changeset& changes, Which which) {
  auto jobs = view.JobsOf(device.id);
  if (!jobs) return jobs.error();
  for (const Job& job : *jobs) {
    if (which(job)) changes.jobs_erase.push_back(job.id);
  }
  return Done{};
}

// When the MNO was told to drop the wipe; what waits longer than that waits for nobody.
UtcTime LatestEnd(const Job& wipe) {
  const auto told = wire::Decode<wire::AppletWipe>(
      nlohmann::json::parse(wipe.body, /*cb=*/nullptr, /*allow_exceptions=*/false));
  return told ? std::min(wipe.due, told->deadline) : wipe.due;
}

}  // namespace

void AskForKey(Device& device, const Context& context, const Policy& policy, Changeset& changes) {
  Ask<wire::KeyGenerate>(device, JobKind::kKeyGenerate, context, policy, changes);
  domain::Mark(device, "key.generate", context.now);
}

void AskForWipe(const Device& device, const Context& context, const Policy& policy, Changeset& changes) {
  Ask<wire::AppletWipe>(device, JobKind::kAppletWipe, context, policy, changes);
}

void ExpectVisible(const Device& device, const Context& context, const Policy& policy, Changeset& changes) {
  Job job;
  job.id = domain::NewJobId(context);
  job.device = device.id;
  job.kind = JobKind::kZoneVisible;
  job.created = context.now;
  job.due = context.now + policy.visible_within;
  job.subject = device.zone_revision;
  changes.jobs_put.push_back(std::move(job));
}

Status EraseJobs(const Device& device, const View& view, JobKind kind, Changeset& changes) {
  return EraseWhere(device, view, changes, [kind](const Job& job) { return job.kind == kind; });
}

Status EraseAllButWipe(const Device& device, const View& view, Changeset& changes) {
  return EraseWhere(device, view, changes, [](const Job& job) { return job.kind != JobKind::kAppletWipe; });
}

bool Waits(const std::vector<Job>& jobs, JobKind kind) {
  return std::any_of(jobs.begin(), jobs.end(), [kind](const Job& job) { return job.kind == kind; });
}

Result<bool> Waits(const Device& device, JobKind kind, const View& view) {
  auto jobs = view.JobsOf(device.id);
  if (!jobs) return jobs.error();
  return Waits(*jobs, kind);
}

bool Unwanted(const Job& job, const Device& device) {
  return job.kind == JobKind::kAppletWipe && device.state == domain::State::kAttached;
}

Result<bool> StopWanting(const Device& device, const View& view, Changeset& changes) {
  auto jobs = view.JobsOf(device.id);
  if (!jobs) return jobs.error();
  bool waits = false;
  for (Job& job : *jobs) {
    if (job.kind != JobKind::kAppletWipe) continue;
    waits = true;
    job.due = LatestEnd(job);
    changes.jobs_put.push_back(std::move(job));
  }
  return waits;
}

Status AfterWipe(Device& device, const View& view, const Context& context, const Policy& policy,
                 Changeset& changes) {
  if (device.state == domain::State::kDeleted) return ReleaseEsim(device, view, changes);
  if (device.state != domain::State::kAttached) return Done{};
  auto asked = Waits(device, JobKind::kKeyGenerate, view);
  if (!asked) return asked.error();
  if (!*asked) AskForKey(device, context, policy, changes);
  return Done{};
}

std::chrono::seconds Backoff(const Policy& policy, std::uint32_t attempt) {
  const auto doublings = std::min<std::uint32_t>(attempt > 0 ? attempt - 1 : 0, 20);
  return std::min(policy.first_retry * (std::int64_t{1} << doublings), kBackoffMax);
}

void ReportFailure(Device& device, std::string step, Error error, const Context& context,
                   const Policy& policy, const std::optional<EventId>& cause, Changeset& changes) {
  error.step = std::move(step);
  domain::Mark(device, error.step + " failed", context.now);
  changes.history.push_back(domain::History(device, domain::Registry(),
                                            error.step + " failed: " + error.symbol, context.now, cause));
  const wire::DeviceFailed message{device.id, DeviceName(device.id, policy.payload.zone), error};
  NotifyStakeholders(device, "device.failed", message, context, cause, changes);
}

Status FailJob(const Job& job, Device device, Error error, const View& view, const Context& context,
               const Policy& policy, const std::optional<EventId>& cause, Changeset& changes) {
  changes.jobs_erase.push_back(job.id);
  ReportFailure(device, std::string(domain::JobKindName(job.kind)), std::move(error), context, policy, cause,
                changes);
  if (job.kind == JobKind::kAppletWipe) {
    if (auto after = AfterWipe(device, view, context, policy, changes); !after) return after;
  }
  Put(device, changes);
  return Done{};
}

}  // namespace registry::lifecycle
