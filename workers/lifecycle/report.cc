// What an MNO reports of a job: progress and result.
#include <algorithm>

#include "workers/domain/device_steps.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/domain/trace.h"
#include "workers/jobs/sending.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/renewal.h"
#include "workers/lifecycle/transfer.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Device;
using domain::Fact;
using domain::Job;

struct Reported {
  Job job;
  Device device;
  bool ended = false;  // reported before, or called off: `job` is empty
};

// A repeat may be told what the first one was told, but only whom the job was sent to: to others it is no job at all.
bool EndedBefore(const JobId& job, const Device& device, const Origin& origin) {
  const auto& ended = device.ended_jobs;
  return std::find(ended.begin(), ended.end(), domain::EndedJob{job, origin.party}) != ended.end();
}

// A deleted device may still owe its wipe, so tombstones count here.
Result<Reported> FindReported(const JobId& id, const DeviceId& device_id, const Origin& origin,
                              const View& view) {
  auto job = view.LoadJob(id);
  if (!job) return job.error();
  const Error unknown = Error::Make(Code::kNotFound, "job_unknown",
                                    "no such job is waiting; it may have been given up", "/job");
  if (!*job) {
    auto device = view.LoadDevice(device_id);
    if (!device) return device.error();
    if (!*device || !EndedBefore(id, **device, origin)) return unknown;
    return Reported{{}, std::move(**device), true};
  }
  if (!(*job)->to || (*job)->unsent) return unknown;
  if ((*job)->device() != device_id) {
    return Error::Make(Code::kValueSyntax, "job_of_other_device", "the job belongs to another device",
                       "/device");
  }
  auto device = view.LoadDevice(device_id);
  if (!device) return device.error();
  if (!*device) return unknown;
  if ((*job)->to != origin.party) {
    return Error::Make(Code::kNotAuthorised, "not_sponsor", "the job was sent to another MNO", "/job");
  }
  return Reported{std::move(**job), std::move(**device)};
}

void Record(const Device& device, std::string what, Case& at) {
  at.changes.history.push_back(
      domain::History(device, at.origin.party, std::move(what), at.context.now, at.origin.id));
}

Status Delivered(Reported& reported, Case& at) {
  Device& device = reported.device;
  jobs::End(device, reported.job, at.changes);
  // A newer payload is under way: this one no longer counts.
  if (reported.job.version != domain::PayloadVersion(device)) {
    Put(device, at.changes);
    return Done{};
  }
  const domain::State after = domain::After(device, domain::Fact::kDelivered);
  const bool activated = device.state != after;
  device.state = after;
  domain::Deliver(device, reported.job.version);
  domain::NoteStep(device, domain::kDeliveredStep, at.context.now);
  PassOnDelivered(device, at);
  const auto waiting = jobs::Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  if (auto installed = AfterInstalled(device, reported.job.version, *waiting, at); !installed)
    return installed;
  SeeGaining(device);
  if (activated) {
    const wire::DeviceActivated message{device.id, DeviceName(device.id, at.policy.zone),
                                        *domain::EndpointOf(device), domain::LiveCertificate(device)->sha256};
    NotifyStakeholders(device, message, at);
    domain::NoteStep(device, "active", at.context.now);
    Record(device, "active", at);
  } else {
    Record(device, "delivered version " + std::to_string(reported.job.version), at);
  }
  Put(device, at.changes);
  return Done{};
}

Status Wiped(Reported& reported, Case& at) {
  Device& device = reported.device;
  jobs::End(device, reported.job, at.changes);
  domain::NoteStep(device, "wiped", at.context.now);
  Record(device, "applet wiped", at);
  if (auto after = AfterWipe(device, at); !after) return after;
  Put(device, at.changes);
  return Done{};
}

Status ProfileChanged(Reported& reported, domain::ProfileState state, Case& at) {
  Device& device = reported.device;
  jobs::End(device, reported.job, at.changes);
  // A deleted one's eSIM comes free with it: what a transfer does then.
  if (state != domain::ProfileState::kDeleted) domain::SetProfileState(device, reported.job.profile, state);
  const std::string what =
      "profile " + std::to_string(reported.job.profile) + ' ' + std::string(domain::ProfileStateName(state));
  domain::NoteStep(device, what, at.context.now);
  Record(device, what, at);
  if (auto after = AfterTransferredProfile(device, reported.job, at); !after) return after;
  if (auto after = AfterProfileJob(device, reported.job, at); !after) return after;
  Put(device, at.changes);
  return Done{};
}

// What says too little to be worth a write of the job: a tenth of the wait.
constexpr int kWorthWriting = 10;

// An MNO that works on a job is not asked again on the plan of a silent one.
void Progressed(const Job& before, std::chrono::seconds wait, Case& at,
                const wire::DoProgress* said = nullptr) {
  Job job = before;
  // Progress reports arrive repeated and out of order: an earlier one shows that the MNO works, not how far it is.
  const bool first = job.last_stage.empty() && job.last_progress == 0;
  const bool later = said != nullptr && (first || said->progress > job.last_progress);
  if (later) {
    job.last_progress = said->progress;
    job.last_stage = said->stage;
  }
  jobs::PutOffAtLeast(job, wait, at.policy.retry, at.context.now);
  if (later || job.due >= before.due + wait / kWorthWriting) at.changes.jobs_put.push_back(std::move(job));
}

Status Succeeded(Reported& reported, Case& at) {
  const auto fact = domain::RowOf(reported.job.kind).on_success;
  if (!fact) return Done{};
  switch (*fact) {
    case Fact::kDelivered:
      return Delivered(reported, at);
    case Fact::kWiped:
      return Wiped(reported, at);
    case Fact::kKeyMade:  // the CSR is what ends it, and is on its way
      Progressed(reported.job, at.policy.retry.Of(at.origin.party).progress, at);
      return Done{};
    case Fact::kProfileEnabled:
      return ProfileChanged(reported, domain::ProfileState::kEnabled, at);
    case Fact::kProfileDisabled:
      return ProfileChanged(reported, domain::ProfileState::kDisabled, at);
    case Fact::kProfileDeleted:
      return ProfileChanged(reported, domain::ProfileState::kDeleted, at);
    case Fact::kAttached:
    case Fact::kDetached:
    case Fact::kVisible:  // of these no job is reported
      return Done{};
  }
  REG_CHECK(false);
}

Status Failed(const wire::DoResult& command, const Reported& reported, Case& at) {
  const bool again = command.retriable && reported.job.wanted;
  const domain::RetryPlan& plan = at.policy.retry.Of(at.origin.party);
  // Off the network it could not be done: that uses no attempt up.
  const bool away = domain::NeedsDevice(reported.job.kind) && domain::IsAway(reported.device);
  if (again && (away || reported.job.attempt < plan.attempts_max)) {
    Job job = reported.job;
    jobs::PutOff(job, jobs::Backoff(plan, job.attempt), at.policy.retry, at.context.now);
    job.last_stage = command.stage;
    at.changes.jobs_put.push_back(std::move(job));
    return Done{};
  }
  const std::string where = command.stage.empty() ? "" : " at stage " + command.stage;
  Error error = Error::Make(Code::kFailed, command.reason.empty() ? "mno_failed" : command.reason,
                            "the MNO reports a failure" + where);
  return FailJob(reported.job, reported.device, std::move(error), at);
}

// Delivered by SMS, but no proof of receipt came: ask again later rather than believe either way.
void Unknown(const Reported& reported, Case& at) {
  Job job = reported.job;
  const domain::RetryPlan& plan = at.policy.retry.Of(*job.to);
  jobs::PutOff(job, jobs::Backoff(plan, job.attempt), at.policy.retry, at.context.now);
  job.last_stage = "unknown";
  at.changes.jobs_put.push_back(std::move(job));
}

}  // namespace

Result<Reply> Decide(const wire::DoProgress& command, Case& at) {
  auto reported = FindReported(command.job, command.device, at.origin, at.view);
  if (!reported) return reported.error();
  Reply noted = wire::Encode(wire::JobNoted{command.job});
  if (reported->ended) return noted;
  std::chrono::seconds wait = at.policy.retry.Of(at.origin.party).progress;
  // A device that is switched off or asleep must not use up its attempts.
  if (command.stage == "waiting_device") wait = std::max<std::chrono::seconds>(wait, jobs::kDeviceWait);
  Progressed(reported->job, wait, at, &command);
  return noted;
}

Result<Reply> Decide(const wire::DoResult& command, Case& at) {
  auto reported = FindReported(command.job, command.device, at.origin, at.view);
  if (!reported) return reported.error();
  Reply noted = wire::Encode(wire::JobNoted{command.job});
  if (reported->ended) return noted;
  Status done = Done{};
  switch (command.outcome) {
    case wire::Outcome::kSuccess:
      done = Succeeded(*reported, at);
      break;
    case wire::Outcome::kFailed:
      done = Failed(command, *reported, at);
      break;
    case wire::Outcome::kUnknown:
      Unknown(*reported, at);
      break;
  }
  if (!done) return done.error();
  return noted;
}

}  // namespace registry::lifecycle
