#include <algorithm>

#include "workers/domain/standing.h"
#include "workers/jobs/sending.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/renewal.h"
#include "workers/lifecycle/transfer.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Device;
using domain::Job;

// DNS goes on trying by itself; what is due here is the alarm.
void RaiseDnsAlarm(Job job, const Device& device, Case& at) {
  const std::chrono::seconds within = at.policy.visible_within;
  Error error = Error::Make(Code::kFailed, "dns_lagging", "the secondaries do not serve the change yet");
  error.step = "published";
  error.retry_after_seconds = static_cast<int>(jobs::AlarmWait(within, job.attempt + 1).count());
  const wire::DeviceFailed message{device.id, DeviceName(device.id, at.policy.zone), error};
  NotifyStakeholders(device, message, at);
  at.changes.history.push_back(
      domain::History(device, at.origin.party, "DNS lags behind the change", at.context.now));
  ++job.attempt;
  job.due = at.context.now + jobs::AlarmWait(within, job.attempt);
  at.changes.jobs_put.push_back(std::move(job));
}

// The time it was put off to says nothing, so it is given the whole wait once more, by the clock as it goes now.
void WaitAnew(Job job, Case& at) {
  job.due = at.context.now + (job.to ? jobs::Backoff(at.policy.retry.Of(*job.to), job.attempt)
                                     : jobs::AlarmWait(at.policy.visible_within, job.attempt));
  at.changes.jobs_put.push_back(std::move(job));
}

// Its device is off the network: nobody can do it now. It is sent again when the device is back (attach.cc). A deleted
// device does not come back, and its eSIM must be free some day.
bool WaitsForDevice(const Job& job, const Device& device) {
  const bool counts = job.to && job.wanted && domain::NeedsDevice(job.kind);
  return counts && device.state != domain::State::kDeleted && domain::IsAway(device) &&
         *job.to == domain::Sponsor(device);
}

void WaitOn(Job job, Case& at) {
  job.due = LatestDue(at.policy, at.context.now);
  at.changes.jobs_put.push_back(std::move(job));
}

Status Settle(const Job& job, const Device& device, bool too_far, Case& at) {
  const domain::RetryPlans& retry = at.policy.retry;
  if (domain::RowOf(job.kind).on_due == domain::OnDue::kCarriesOn) {
    const auto decided = DecideRenewal(device.id, at);
    return decided ? Status(Done{}) : decided.error();
  }
  if (domain::RowOf(job.kind).on_due == domain::OnDue::kDecided) return DecideUnanswered(job, device, at);
  if (job.unsent) return jobs::SendKept(job, at.view, at.context, retry, at.changes);
  if (WaitsForDevice(job, device)) {
    WaitOn(job, at);
    return Done{};
  }
  const bool alarm = domain::RowOf(job.kind).on_due == domain::OnDue::kAlarm;
  if (!alarm && jobs::WorthSendingAgain(job, retry)) {
    jobs::SendAgain(job, at.context, retry, at.changes);
  } else if (too_far) {
    WaitAnew(job, at);
  } else if (alarm) {
    RaiseDnsAlarm(job, device, at);
  } else {
    Error error = Error::Make(Code::kFailed, "mno_silent", "the MNO did not report a result in time");
    return FailJob(job, device, std::move(error), at);
  }
  return Done{};
}

}  // namespace

UtcTime LatestDue(const Policy& policy, UtcTime now) {
  return jobs::LatestDue(policy.retry, policy.visible_within, now);
}

Status DecideDue(const Job& due, Case& at) {
  auto job = at.view.LoadJob(due.id);
  if (!job) return job.error();
  if (!*job) return Done{};  // done since
  const UtcTime now = at.context.now;
  const bool too_far = (*job)->due > LatestDue(at.policy, now);
  if (!(*job)->unsent && (*job)->due > now && !too_far) return Done{};  // put off since
  auto device = at.view.LoadDevice((*job)->device());
  if (!device) return device.error();
  if (!*device) {
    at.changes.jobs_erase.push_back(due.id);
    return Done{};
  }
  // No command is decided here, but one is behind the job: what is said now belongs to its trace.
  Context traced = at.context;
  traced.traceparent = (*job)->traceparent;
  Case of_job{at.origin, at.view, traced, at.policy, at.signer};
  auto settled = Settle(**job, **device, too_far, of_job);
  at.changes = std::move(of_job.changes);
  return settled;
}

}  // namespace registry::lifecycle
