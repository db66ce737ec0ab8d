#include "workers/lifecycle/work.h"

#include <algorithm>

#include "workers/domain/job_kinds.h"
#include "workers/domain/key_unavailable.h"
#include "workers/jobs/sending.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/renewal.h"
#include "workers/lifecycle/transfer.h"

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

Result<domain::EndpointRecord> EndpointToBind(const EndpointName& name, Case& at) {
  auto endpoint = at.view.LoadEndpoint(at.origin.party, name);
  if (!endpoint) return endpoint.error();
  if (!*endpoint)
    return Error::Make(Code::kNotFound, "endpoint_unknown", "publish the endpoint first", "/endpoint");
  at.changes.endpoints_seen.push_back({{at.origin.party, name}, (*endpoint)->version});
  return std::move(**endpoint);
}

namespace {

// A payload that waits says what is no longer so: the newer one goes in its place.
Status SendPayload(Device& device, Result<Job> job, Case& at) {
  if (!job) return job.error();
  const auto waiting = jobs::Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  jobs::EndSuperseded(device, domain::Superseding::kPayloadReplaced, *waiting, at.changes);
  const domain::Profile* const profile = domain::ProfileOf(device, job->profile);
  const PartyId to = profile != nullptr ? profile->mno : domain::Sponsor(device);
  return jobs::Send(*std::move(job), to, at.view, at.context, at.policy.retry, at.changes);
}

}  // namespace

Status PushPayload(Device& device, const domain::EndpointRecord& endpoint, Case& at) {
  auto job = payload_push::Compose(device, endpoint, at.policy, at.context, at.signer);
  return SendPayload(device, std::move(job), at);
}

Status PushPayload(Device& device, Case& at) {
  const domain::Binding* const binding = domain::LiveBinding(device);
  if (binding == nullptr) {
    auto job = payload_push::ComposeForNobody(device, at.policy, at.context, at.signer);
    return SendPayload(device, std::move(job), at);
  }
  const auto endpoint = at.view.LoadEndpoint(binding->asp, binding->endpoint);
  if (!endpoint) return endpoint.error();
  return *endpoint ? PushPayload(device, **endpoint, at) : Status(Done{});
}

Result<bool> PushOrReport(Device& device, const std::function<Status(Device&)>& push, Case& at) {
  Device pushed = device;
  domain::Changeset before = at.changes;
  const Status done = push(pushed);
  if (done) {
    device = std::move(pushed);
    return true;
  }
  const std::string& why = done.error().symbol;
  // A key that is away for a while is no failure of the device: whoever asked comes again.
  if (why == domain::kLedgerFailed || why == domain::kKeyUnavailable) return done.error();
  at.changes = std::move(before);
  ReportFailure(device, std::string(domain::JobKindName(JobKind::kPayloadPush)), done.error(), at);
  return false;
}

Status AskForWhatIsOwed(Device& device, const jobs::Waiting& waiting, Case& at) {
  if (domain::OnHold(device)) return Done{};
  // A wipe under way asks for the key itself when it ends.
  const bool key_to_come = waiting.Has(JobKind::kKeyGenerate) || waiting.Has(JobKind::kAppletWipe);
  if (device.state == domain::State::kAttached && !key_to_come) return AskForKey(device, at);
  if (auto carried_on = CarryOnRenewal(device, waiting, at); !carried_on) return carried_on.error();
  return PushWhatIsOwed(device, waiting, at);
}

Status PushWhatIsOwed(Device& device, const jobs::Waiting& waiting, Case& at) {
  if (domain::InTransfer(device)) {
    const bool to_asp = domain::NextBinding(device) != nullptr;
    if (auto carried_on = CarryOnTransfer(device, waiting, at); !carried_on || to_asp) return carried_on;
  }
  const auto pushed = [](const Job& job) { return job.kind == JobKind::kPayloadPush; };
  const bool on_its_way = std::any_of(at.changes.jobs_put.begin(), at.changes.jobs_put.end(), pushed);
  const bool first = device.state == domain::State::kPublished && domain::LiveBinding(device) != nullptr;
  const bool shown = device.state == domain::State::kPublished || device.state == domain::State::kActive;
  // What DNS does not show yet brings the payload by itself when it does.
  const bool seen = device.zone.visible == device.zone.wanted;
  const bool owed = first || (shown && domain::PayloadOwed(device));
  if (!owed || !seen || on_its_way || waiting.Has(JobKind::kPayloadPush)) return Done{};
  return PushPayload(device, at);
}

void RecordStep(Device& device, std::string_view what, const std::string& reason, Case& at) {
  domain::NoteStep(device, what, at.context.now);
  std::string entry(what);
  if (!reason.empty()) entry += ": " + reason;
  at.changes.history.push_back(
      domain::History(device, at.origin.party, std::move(entry), at.context.now, at.origin.id));
}

bool IsServingDisabled(const Device& device, const jobs::Waiting& waiting) {
  const domain::Profile* const serving = domain::Serving(device);
  // 0: of a record from before devices had several profiles.
  return waiting.Find(JobKind::kProfileDisable, 0) != nullptr ||
         (serving != nullptr && waiting.Find(JobKind::kProfileDisable, serving->number) != nullptr);
}

Status AfterWipe(Device& device, Case& at) {
  const auto waiting = jobs::Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  const domain::Profile* const serving = domain::Serving(device);
  const bool to_disable = device.statuses.contains(domain::DeviceStatus::kDisconnected) &&
                          serving != nullptr && serving->state == domain::ProfileState::kEnabled &&
                          !IsServingDisabled(device, *waiting);
  if (to_disable) {
    jobs::EndSuperseded(device, domain::Superseding::kDisconnected, *waiting, at.changes);
    auto asked =
        jobs::Ask(JobKind::kProfileDisable, device, at.view, at.context, at.policy.retry, at.changes);
    if (!asked) return asked;
  }
  if (device.state == domain::State::kDeleted) return ReleaseIdleEsim(device, *waiting, at);
  if (device.state != domain::State::kAttached || domain::OnHold(device)) return Done{};
  if (waiting->Has(JobKind::kKeyGenerate)) return Done{};
  return AskForKey(device, at);
}

Status AfterProfileJob(Device& device, const Job& job, Case& at) {
  if (device.state != domain::State::kDeleted || !domain::IsOfProfile(job.kind)) return Done{};
  const auto waiting = jobs::Waiting::Of(device.id, at.view);
  return waiting ? ReleaseIdleEsim(device, *waiting, at) : Status(waiting.error());
}

Status ReleaseIdleEsim(Device& device, const jobs::Waiting& waiting, Case& at) {
  const auto& ended = at.changes.jobs_erase;
  const auto& begun = at.changes.jobs_put;
  // The eSIM's next device must not be the one that is wiped, switched off or deleted.
  const auto reaches = [](const Job& job) { return domain::ReachesEsim(job.kind); };
  const auto goes_on = [&](const Job& job) {
    return reaches(job) && std::find(ended.begin(), ended.end(), job.id) == ended.end();
  };
  const bool busy = std::any_of(waiting.all().begin(), waiting.all().end(), goes_on) ||
                    std::any_of(begun.begin(), begun.end(), reaches);
  return busy ? Status(Done{}) : ReleaseEsim(device, at.view, at.changes);
}

namespace {

// What was to be is not: the command that asked for it may be given again.
void TakeBack(Device& device, const Job& job) {
  const domain::Profile* const serving = domain::Serving(device);
  // What a transfer does to the other profile is no disconnecting.
  if (serving == nullptr || job.profile != serving->number || domain::InTransfer(device)) return;
  if (job.kind == JobKind::kProfileDisable) device.statuses.erase(domain::DeviceStatus::kDisconnected);
  const bool off = serving->state == domain::ProfileState::kDisabled;
  if (job.kind == JobKind::kProfileEnable && off) device.statuses.insert(domain::DeviceStatus::kDisconnected);
}

}  // namespace

void RecordFailure(Device& device, const std::string& step, const Error& error, Case& at) {
  domain::NoteStep(device, step + " failed", at.context.now);
  at.changes.history.push_back(domain::History(
      device, domain::RegistryParty(), step + " failed: " + error.symbol, at.context.now, at.origin.id));
}

void ReportFailure(Device& device, std::string step, Error error, Case& at) {
  RecordFailure(device, step, error, at);
  error.step = std::move(step);
  const wire::DeviceFailed message{device.id, DeviceName(device.id, at.policy.zone), error};
  NotifyStakeholders(device, message, at);
}

Status FailJob(const Job& job, Device device, Error error, Case& at) {
  if (at.origin.id) {
    jobs::End(device, job, at.changes);
  } else {
    at.changes.jobs_erase.push_back(job.id);
  }
  if (IsStepOfTransfer(job, device)) {
    if (auto failed = FailTransfer(device, error, at); !failed) return failed;
    Put(device, at.changes);
    return Done{};
  }
  if (IsEndOfTransfer(job, device)) {
    RecordFailure(device, std::string(domain::JobKindName(job.kind)), error, at);
    if (auto after = AfterTransferredProfile(device, job, at); !after) return after;
    if (auto after = AfterProfileJob(device, job, at); !after) return after;
    Put(device, at.changes);
    return Done{};
  }
  const bool renews = IsStepOfRenewal(job, device);
  constexpr std::chrono::seconds kDay{86'400};  // what an error can say at most
  if (renews) error.retry_after_seconds = static_cast<int>(std::min(at.policy.renewal.again, kDay).count());
  ReportFailure(device, std::string(domain::JobKindName(job.kind)), std::move(error), at);
  if (renews) {
    if (auto after = AfterFailedStep(device, job, at); !after) return after;
  }
  if (domain::RowOf(job.kind).on_failure == domain::OnFailure::kTakenAsWiped) {
    if (auto after = AfterWipe(device, at); !after) return after;
  }
  TakeBack(device, job);
  if (auto after = AfterProfileJob(device, job, at); !after) return after;
  Put(device, at.changes);
  return Done{};
}

}  // namespace registry::lifecycle
