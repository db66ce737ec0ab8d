#include "workers/lifecycle/work.h"

#include "workers/jobs/sending.h"
#include "workers/lifecycle/access.h"

namespace registry::lifecycle {

using domain::Changeset;
using domain::Device;
using domain::Job;
using domain::JobKind;

Status AskForKey(Device& device, const View& view, const Context& context, const Policy& policy,
                 Changeset& changes) {
  domain::Mark(device, "key.generate", context.now);
  return jobs::Ask(JobKind::kKeyGenerate, device, view, context, policy.retry, changes);
}

Status PushPayload(Device& device, const domain::EndpointRecord& endpoint, const View& view,
                   const Context& context, const Policy& policy, const domain::Signer& signer,
                   Changeset& changes) {
  auto job = payload_push::Compose(device, endpoint, policy, context, signer);
  if (!job) return job.error();
  return jobs::Send(std::move(*job), domain::Sponsor(device), view, context, policy.retry, changes);
}

Status AfterWipe(Device& device, const View& view, const Context& context, const Policy& policy,
                 Changeset& changes) {
  if (device.state == domain::State::kDeleted) return ReleaseEsim(device, view, changes);
  if (device.state != domain::State::kAttached) return Done{};
  const auto waiting = jobs::Waiting::Of(device.id, view);
  if (!waiting) return waiting.error();
  if (waiting->Has(JobKind::kKeyGenerate)) return Done{};
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
    jobs::End(device, job, changes);
  } else {
    changes.jobs_erase.push_back(job.id);
  }
  ReportFailure(device, std::string(domain::JobKindName(job.kind)), std::move(error), context, policy, cause,
                changes);
  if (domain::RowOf(job.kind).on_failure == domain::OnFailure::kTakenAsWiped) {
    if (auto after = AfterWipe(device, view, context, policy, changes); !after) return after;
  }
  Put(device, changes);
  return Done{};
}

}  // namespace registry::lifecycle
