#include "workers/lifecycle/jobs.h"

#include <algorithm>

#include "workers/lifecycle/access.h"

namespace registry::lifecycle {

using domain::Changeset;
using domain::Device;
using domain::Job;
using domain::JobKind;

namespace {

template <class ActionMessage>
Status Ask(const Device& device, JobKind kind, const View& view, const Context& context, const Policy& policy,
           Changeset& changes) {
  Job job;
  job.id = domain::NewJobId(context);
  job.device = device.id;
  job.kind = kind;
  job.created = context.now;
  job.due = context.now;
  ActionMessage action;
  action.job = job.id;
  action.device = device.id;
  action.deadline = job.due;
  job.body = wire::Encode(action).dump();
  job.traceparent = context.traceparent;
  return Send(std::move(job), device, view, context, policy, changes);
}

template <class Which>
Status EndWhere(Device& device, const View& view, Changeset& changes, Which which) {
  auto jobs = view.JobsOf(device.id);
  if (!jobs) return jobs.error();
  for (const Job& job : *jobs) {
    if (which(job)) domain::EndJob(device, job, changes);
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

Status AskForKey(Device& device, const View& view, const Context& context, const Policy& policy,
                 Changeset& changes) {
  domain::Mark(device, "key.generate", context.now);
  return Ask<wire::KeyGenerate>(device, JobKind::kKeyGenerate, view, context, policy, changes);
}

Status AskForWipe(const Device& device, const View& view, const Context& context, const Policy& policy,
                  Changeset& changes) {
  return Ask<wire::AppletWipe>(device, JobKind::kAppletWipe, view, context, policy, changes);
}

Status PushPayload(Device& device, const domain::EndpointRecord& endpoint, const View& view,
                   const Context& context, const Policy& policy, const domain::Signer& signer,
                   Changeset& changes) {
  auto job = payload_push::Compose(device, endpoint, policy, context, signer);
  if (!job) return job.error();
  return Send(std::move(*job), device, view, context, policy, changes);
}

void ExpectVisible(const Device& device, const Context& context, const Policy& policy, Changeset& changes) {
  Job job;
  job.id = domain::NewJobId(context);
  job.device = device.id;
  job.kind = JobKind::kZoneVisible;
  job.created = context.now;
  job.due = context.now + policy.visible_within;
  job.subject = device.zone.wanted;
  changes.jobs_put.push_back(std::move(job));
}

Status EndJobs(Device& device, const View& view, JobKind kind, Changeset& changes) {
  return EndWhere(device, view, changes, [kind](const Job& job) { return job.kind == kind; });
}

Status EndAllButWipe(Device& device, const View& view, Changeset& changes) {
  return EndWhere(device, view, changes, [](const Job& job) { return job.kind != JobKind::kAppletWipe; });
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
    if (job.unsent) {
      changes.jobs_erase.push_back(job.id);
      continue;
    }
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
  if (*asked) return Done{};
  return AskForKey(device, view, context, policy, changes);
}

void ReportFailure(Device& device, std::string step, Error error, const Context& context,
                   const Policy& policy, const std::optional<EventId>& cause, Changeset& changes) {
  error.step = std::move(step);
  domain::Mark(device, error.step + " failed", context.now);
  changes.history.push_back(domain::History(device, domain::Registry(),
                                            error.step + " failed: " + error.symbol, context.now, cause));
  const wire::DeviceFailed message{device.id, DeviceName(device.id, policy.zone), error};
  NotifyStakeholders(device, "device.failed", message, context, cause, changes);
}

Status FailJob(const Job& job, Device device, Error error, const View& view, const Context& context,
               const Policy& policy, const std::optional<EventId>& cause, Changeset& changes) {
  if (cause) {
    domain::EndJob(device, job, changes);
  } else {
    changes.jobs_erase.push_back(job.id);
  }
  ReportFailure(device, std::string(domain::JobKindName(job.kind)), std::move(error), context, policy, cause,
                changes);
  if (job.kind == JobKind::kAppletWipe) {
    if (auto after = AfterWipe(device, view, context, policy, changes); !after) return after;
  }
  Put(device, changes);
  return Done{};
}

}  // namespace registry::lifecycle
