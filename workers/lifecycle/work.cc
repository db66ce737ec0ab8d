#include "workers/lifecycle/work.h"

#include "workers/domain/job_kinds.h"
#include "workers/jobs/sending.h"
#include "workers/lifecycle/access.h"

namespace registry::lifecycle {

using domain::Device;
using domain::Job;
using domain::JobKind;

std::vector<std::string> NamesOf(const std::set<domain::DeviceStatus>& statuses) {
  std::vector<std::string> names;
  for (const auto status : statuses) names.emplace_back(domain::StatusName(status));
  return names;
}

wire::DeviceState StateOf(const Device& device) {
  return {device.id, std::string(domain::StateName(device.state)), {}, NamesOf(device.statuses)};
}

Status AskForKey(Device& device, Case& at) {
  domain::NoteStep(device, wire::KeyGenerate::kName, at.context.now);
  return jobs::Ask(JobKind::kKeyGenerate, device, at.view, at.context, at.policy.retry, at.changes);
}

Status PushPayload(Device& device, const domain::EndpointRecord& endpoint, Case& at) {
  auto job = payload_push::Compose(device, endpoint, at.policy, at.context, at.signer);
  if (!job) return job.error();
  return jobs::Send(std::move(*job), domain::Sponsor(device), at.view, at.context, at.policy.retry,
                    at.changes);
}

Status AfterWipe(Device& device, Case& at) {
  if (device.state == domain::State::kDeleted) return ReleaseEsim(device, at.view, at.changes);
  if (device.state != domain::State::kAttached) return Done{};
  const auto waiting = jobs::Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  if (waiting->Has(JobKind::kKeyGenerate)) return Done{};
  return AskForKey(device, at);
}

void ReportFailure(Device& device, std::string step, Error error, Case& at) {
  error.step = std::move(step);
  domain::NoteStep(device, error.step + " failed", at.context.now);
  at.changes.history.push_back(domain::History(device, domain::RegistryParty(),
                                               error.step + " failed: " + error.symbol, at.context.now,
                                               at.origin.id));
  const wire::DeviceFailed message{device.id, DeviceName(device.id, at.policy.zone), error};
  NotifyStakeholders(device, message, at);
}

Status FailJob(const Job& job, Device device, Error error, Case& at) {
  if (at.origin.id) {
    jobs::End(device, job, at.changes);
  } else {
    at.changes.jobs_erase.push_back(job.id);
  }
  ReportFailure(device, std::string(domain::JobKindName(job.kind)), std::move(error), at);
  if (domain::RowOf(job.kind).on_failure == domain::OnFailure::kTakenAsWiped) {
    if (auto after = AfterWipe(device, at); !after) return after;
  }
  Put(device, at.changes);
  return Done{};
}

}  // namespace registry::lifecycle
