// How an approved transfer is carried out, or fails. From one ASP to another: the gaining one's binding is *next*, its
// payload is pushed, and once that is delivered the device is its own. Of a device that has never had a payload nothing is
// awaited: it changes hands at once.
#include <algorithm>

#include "workers/domain/device_steps.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/domain/view.h"
#include "workers/lifecycle/transfer_told.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Device;
using domain::JobKind;
using domain::Transfer;
using domain::TransferKind;
using domain::TransferState;
using jobs::Waiting;

// What the losing party has set is worth nothing any more, whoever was told it.
void DropCodesOf(Device& device, const PartyId& party) {
  std::erase_if(device.codes, [&](const domain::AuthorisationCode& code) { return code.set_by == party; });
}

// The gaining ASP has to know what the device will show before it connects.
void TellCertificate(const Device& device, Case& at) {
  const auto* const live = domain::LiveCertificate(device);
  if (live == nullptr) return;
  const wire::DeviceCertified certified{device.id, DeviceName(device.id, at.policy.zone), live->der,
                                        live->not_after};
  at.changes.notifications.push_back(
      domain::Notify(device.transfer->to, certified, at.context, at.origin.id));
}

Error Withdrawn() {
  return Error::Make(Code::kNotFound, "endpoint_unknown", "its ASP has withdrawn the endpoint", "/endpoint");
}

Status Push(Device& device, Case& at) {
  const domain::Binding& binding = *domain::ToBeTold(device);
  const auto endpoint = at.view.LoadEndpoint(binding.asp, binding.endpoint);
  if (!endpoint) return endpoint.error();
  if (!*endpoint) return Withdrawn();
  return PushPayload(device, **endpoint, at);
}

Status TryToPush(Device& device, Case& at) {
  const auto pushed = PushOrReport(
      device, [&at](Device& one) { return Push(one, at); }, at);
  return pushed ? Status(Done{}) : Status(pushed.error());
}

// The former ASP's payload, as a newer one: whether the device has installed the other's is not known.
Status TellFormer(Device& device, Case& at) {
  const bool may = device.state == domain::State::kActive && !domain::OnHold(device);
  return may ? TryToPush(device, at) : Status(Done{});
}

Status PassBinding(Device& device, const Waiting& waiting, Case& at) {
  const PartyId from = device.transfer->from, to = device.transfer->to;
  const EndpointName name = *device.transfer->endpoint;
  const auto endpoint = at.view.LoadEndpoint(to, name);
  if (!endpoint) return endpoint.error();
  if (!*endpoint) return FailTransfer(device, Withdrawn(), at);
  at.changes.endpoints_seen.push_back({{to, name}, (*endpoint)->version});
  domain::DropNextBinding(device);
  domain::BindNext(device, to, name);
  TellCertificate(device, at);
  if (device.state == domain::State::kActive) return CarryOnTransfer(device, waiting, at);
  domain::PassOn(device, from);
  CompleteTransfer(device, at);
  if (!domain::OnHold(device)) return TryToPush(device, at);
  jobs::EndSuperseded(device, domain::Superseding::kPayloadReplaced, waiting, at.changes);
  return Done{};
}

}  // namespace

bool IsApproved(const Device& device, TransferKind kind) {
  return device.transfer && device.transfer->state == TransferState::kApproved &&
         device.transfer->kind == kind;
}

void CompleteTransfer(Device& device, Case& at) {
  device.transfer->state = TransferState::kCompleted;
  DropCodesOf(device, device.transfer->from);
  TellTransfer<wire::TransferCompleted>(device, "completed", {}, at);
}

Status ReleaseIccid(const Device& device, const Iccid& iccid, Case& at) {
  domain::UniqueValue value{domain::UniqueKind::kIccid, AsBytes(iccid.text())};
  const auto holder = at.view.FindUnique(value);
  if (!holder) return holder.error();
  if (*holder == device.id) at.changes.releases.push_back(std::move(value));
  return Done{};
}

wire::TransferState ToldOf(const Device& device) {
  const Transfer& transfer = *device.transfer;
  return {transfer.id,
          transfer.device,
          std::string(TransferKindName(transfer.kind)),
          std::string(TransferStateName(transfer.state)),
          transfer.from,
          transfer.to,
          transfer.requested,
          transfer.decides_at,
          transfer.gaining};
}

void RecordTransfer(Device& device, std::string_view what, const std::string& reason, Case& at) {
  domain::NoteStep(device, "transfer " + std::string(what), at.context.now);
  std::string entry = "transfer " + device.transfer->id.text() + " to " + device.transfer->to.text() + ' ';
  entry.append(what);
  if (!reason.empty()) entry += ": " + reason;
  at.changes.history.push_back(
      domain::History(device, at.origin.party, std::move(entry), at.context.now, at.origin.id));
}

Status ApproveTransfer(Device& device, const std::string& reason, Case& at) {
  const auto waiting = Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  device.transfer->state = TransferState::kApproved;
  device.statuses.erase(domain::DeviceStatus::kPendingTransfer);
  TellTransfer<wire::TransferApproved>(device, "approved", reason, at);
  return device.transfer->kind == TransferKind::kMno ? BeginNewProfile(device, *waiting, at)
                                                     : PassBinding(device, *waiting, at);
}

Status CarryOnTransfer(Device& device, const Waiting& waiting, Case& at) {
  if (domain::OnHold(device)) return Done{};
  if (IsApproved(device, TransferKind::kMno)) return CarryOnNewProfile(device, waiting, at);
  if (!IsApproved(device, TransferKind::kAsp)) return Done{};
  const auto is_its = [&](const domain::Job& job) {
    return job.kind == JobKind::kPayloadPush && job.version == domain::NextBinding(device)->composed;
  };
  const auto any = [&](const std::vector<domain::Job>& jobs) {
    return std::any_of(jobs.begin(), jobs.end(), is_its);
  };
  if (any(waiting.all()) || any(at.changes.jobs_put)) return Done{};
  Device pushed = device;
  domain::Changeset before = at.changes;
  const Status sent = Push(pushed, at);
  if (sent) device = std::move(pushed);
  if (sent || sent.error().symbol == domain::kLedgerFailed) return sent;
  at.changes = std::move(before);
  return FailTransfer(device, sent.error(), at);
}

void PassOnDelivered(Device& device, Case& at) {
  if (!IsApproved(device, TransferKind::kAsp)) return;
  const domain::Binding* const next = domain::NextBinding(device);
  if (next->delivered < next->composed || next->composed == 0) return;
  domain::PassOn(device, device.transfer->from);
  CompleteTransfer(device, at);
}

void SeeGaining(Device& device) {
  if (IsApproved(device, TransferKind::kMno) && HasSwitched(device)) domain::SeeOnNetwork(device);
}

bool IsStepOfTransfer(const domain::Job& job, const Device& device) {
  if (IsApproved(device, TransferKind::kMno)) {
    if (HasSwitched(device)) return false;
    const domain::Credential* const next = domain::NextCredential(device);
    const bool carries = next != nullptr && next->carried != 0 && job.version >= next->carried;
    return job.kind == JobKind::kPayloadPush ? carries : job.profile == device.transfer->gaining;
  }
  const domain::Binding* const next = domain::NextBinding(device);
  return job.kind == JobKind::kPayloadPush && next != nullptr && IsApproved(device, TransferKind::kAsp) &&
         job.version == next->composed;
}

Status FailTransfer(Device& device, const Error& why, Case& at) {
  if (!domain::InTransfer(device)) return Done{};
  if (IsApproved(device, TransferKind::kMno) && HasSwitched(device)) {
    CompleteTransfer(device, at);
    return LeaveFormerProfile(device, at);
  }
  const auto waiting = Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  const bool told = domain::NextBinding(device) != nullptr && domain::NextBinding(device)->composed > 0;
  jobs::EndSuperseded(device, domain::Superseding::kTransferDecided, *waiting, at.changes);
  domain::DropNextBinding(device);
  device.statuses.erase(domain::DeviceStatus::kPendingTransfer);
  const bool approved = device.transfer->state == TransferState::kApproved;
  const bool had_profile = approved && device.transfer->kind == TransferKind::kMno;
  if (!had_profile && device.transfer->iccid) {
    if (auto released = ReleaseIccid(device, *device.transfer->iccid, at); !released) return released;
  }
  device.transfer->state = TransferState::kFailed;
  TellTransfer<wire::TransferFailed>(device, "failed", why.symbol + ": " + why.message, at);
  if (had_profile) return DropNewProfile(device, *waiting, at);
  return told ? TellFormer(device, at) : Status(Done{});
}

}  // namespace registry::lifecycle
