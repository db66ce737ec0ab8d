#include "workers/domain/standing.h"
#include "workers/jobs/sending.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Changeset;
using domain::Device;
using domain::Job;

// DNS goes on trying by itself; what is due here is the alarm.
void RaiseDnsAlarm(Job job, const Device& device, const Context& context, const Policy& policy,
                   Changeset& changes) {
  Error error = Error::Make(Code::kFailed, "dns_lagging", "the secondaries do not serve the change yet");
  error.step = "published";
  error.retry_after_seconds =
      static_cast<int>(jobs::AlarmWait(policy.visible_within, job.attempt + 1).count());
  const wire::DeviceFailed message{device.id, DeviceName(device.id, policy.zone), error};
  NotifyStakeholders(device, "device.failed", message, context, std::nullopt, changes);
  changes.history.push_back(
      domain::History(device, domain::Registry(), "DNS lags behind the change", context.now));
  ++job.attempt;
  job.due = context.now + jobs::AlarmWait(policy.visible_within, job.attempt);
  changes.jobs_put.push_back(std::move(job));
}

// The time it was put off to says nothing, so it is given the whole wait once more, by the clock as it goes now.
void WaitAnew(Job job, const Context& context, const Policy& policy, Changeset& changes) {
  job.due = context.now + (job.to ? jobs::Backoff(policy.retry.Of(*job.to), job.attempt)
                                  : jobs::AlarmWait(policy.visible_within, job.attempt));
  changes.jobs_put.push_back(std::move(job));
}

// No command is decided here, but one is behind the job: what is said now belongs to its trace.
Context TracedBy(const Job& job, Context context) {
  context.traceparent = job.traceparent;
  return context;
}

}  // namespace

UtcTime LatestDue(const Policy& policy, UtcTime now) {
  return jobs::LatestDue(policy.retry, policy.visible_within, now);
}

Result<Changeset> DecideDue(const Job& due, const View& view, const Context& timer, const Policy& policy) {
  Changeset changes;
  auto job = view.LoadJob(due.id);
  if (!job) return job.error();
  if (!*job) return changes;  // done since
  const bool too_far = (*job)->due > LatestDue(policy, timer.now);
  const bool kept = (*job)->unsent;
  if (!kept && (*job)->due > timer.now && !too_far) return changes;  // put off since
  auto device = view.LoadDevice((*job)->device());
  if (!device) return device.error();
  if (!*device) {
    changes.jobs_erase.push_back(due.id);
    return changes;
  }
  const Context context = TracedBy(**job, timer);
  const bool alarm = domain::RowOf((*job)->kind).on_due == domain::OnDue::kAlarm;
  if (kept) {
    auto sent = jobs::SendKept(**job, view, context, policy.retry, changes);
    if (!sent) return sent.error();
  } else if (!alarm && jobs::WorthSendingAgain(**job, policy.retry)) {
    jobs::SendAgain(**job, context, policy.retry, changes);
  } else if (too_far) {
    WaitAnew(**job, context, policy, changes);
  } else if (alarm) {
    RaiseDnsAlarm(**job, **device, context, policy, changes);
  } else {
    Error error = Error::Make(Code::kFailed, "mno_silent", "the MNO did not report a result in time");
    auto failed = FailJob(**job, **device, std::move(error), view, context, policy, std::nullopt, changes);
    if (!failed) return failed.error();
  }
  return changes;
}

}  // namespace registry::lifecycle
