#include "workers/jobs/jobs.h"

#include <algorithm>

#include "schemas/base/check.h"
#include "workers/domain/standing.h"
#include "workers/jobs/sending.h"

namespace registry::jobs {

using domain::Changeset;
using domain::Context;
using domain::Device;
using domain::Job;
using domain::JobKind;
using domain::Superseding;
using domain::View;

Job New(JobKind kind, const Device& device, const Context& context) {
  Job job;
  job.id = domain::NewJobId(context);
  job.subject = device.id;
  job.kind = kind;
  job.created = context.now;
  job.due = context.now;
  job.traceparent = context.traceparent;
  return job;
}

Status Ask(JobKind kind, const Device& device, const View& view, const Context& context,
           const domain::RetryPlans& retry, Changeset& changes) {
  const domain::Profile* const serving = domain::Serving(device);
  REG_CHECK(serving != nullptr);
  return Ask(kind, device, *serving, view, context, retry, changes);
}

Status Ask(JobKind kind, const Device& device, const domain::Profile& profile, const View& view,
           const Context& context, const domain::RetryPlans& retry, Changeset& changes) {
  const auto encode = domain::RowOf(kind).encode;
  REG_CHECK(encode != nullptr);
  Job job = New(kind, device, context);
  job.profile = profile.number;
  job.body = encode(job);
  return Send(std::move(job), profile.mno, view, context, retry, changes);
}

Result<Waiting> Waiting::Of(const DeviceId& device, const View& view) {
  auto jobs = view.JobsOf(device);
  if (!jobs) return jobs.error();
  Waiting waiting;
  waiting.jobs_ = std::move(*jobs);
  return waiting;
}

const Job* Waiting::Find(JobKind kind) const {
  const auto found =
      std::find_if(jobs_.begin(), jobs_.end(), [kind](const Job& job) { return job.kind == kind; });
  return found == jobs_.end() ? nullptr : &*found;
}

const Job* Waiting::Find(JobKind kind, std::uint32_t profile) const {
  const auto found = std::find_if(jobs_.begin(), jobs_.end(), [kind, profile](const Job& job) {
    return job.kind == kind && job.profile == profile;
  });
  return found == jobs_.end() ? nullptr : &*found;
}

void End(Device& device, const Job& job, Changeset& changes) {
  // One that two reasons end in one decision ends once.
  const auto& erased = changes.jobs_erase;
  if (std::find(erased.begin(), erased.end(), job.id) != erased.end()) return;
  changes.jobs_erase.push_back(job.id);
  if (!job.to || job.unsent) return;
  if (device.ended_jobs.size() >= domain::kEndedJobsMax) device.ended_jobs.erase(device.ended_jobs.begin());
  device.ended_jobs.push_back({job.id, *job.to});
}

namespace {

// A device is switched off and on by the profile that serves it. What a transfer has asked of another one goes on.
bool OfAnotherProfile(const Job& job, const Device& device, Superseding cause) {
  if (cause != Superseding::kDisconnected && cause != Superseding::kReconnected) return false;
  const domain::Profile* const serving = domain::Serving(device);
  return serving != nullptr && job.profile != 0 && job.profile != serving->number;
}

}  // namespace

void EndSuperseded(Device& device, Superseding cause, const Waiting& waiting, Changeset& changes) {
  for (const Job& job : waiting.all()) {
    if (domain::IsSupersededBy(job.kind, cause) && !OfAnotherProfile(job, device, cause))
      End(device, job, changes);
  }
}

void ExpectVisible(Device& device, const Waiting& waiting, const Context& context,
                   std::chrono::seconds within, Changeset& changes) {
  EndSuperseded(device, Superseding::kZoneChanged, waiting, changes);
  Job job = New(JobKind::kZoneVisible, device, context);
  job.due = context.now + within;
  job.version = device.zone.wanted;
  changes.jobs_put.push_back(std::move(job));
}

bool StopWanting(Job job, Changeset& changes) {
  if (job.unsent) {
    changes.jobs_erase.push_back(job.id);
    return false;
  }
  job.wanted = false;
  job.due = std::min(job.due, job.told);
  changes.jobs_put.push_back(std::move(job));
  return true;
}

void WantAgain(Job job, Changeset& changes) {
  if (job.wanted) return;
  job.wanted = true;
  changes.jobs_put.push_back(std::move(job));
}

}  // namespace registry::jobs
