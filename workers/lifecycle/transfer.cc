// What parties ask about a transfer: request, approve, reject, cancel. How an approved one is carried out is in
// transfer_work.cc.
#include "workers/lifecycle/transfer.h"

#include <algorithm>

#include "workers/domain/device_steps.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/codes.h"
#include "workers/lifecycle/transfer_told.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Command;
using domain::Device;
using domain::JobKind;
using domain::Transfer;
using domain::TransferKind;
using domain::TransferState;
using domain::UniqueKind;
using domain::UniqueValue;

// Its schema lets through one of device and eid, and one of iccid and endpoint, whoever sends it.
Status CheckMembers(const wire::TransferRequest& command, TransferKind kind) {
  std::string_view foreign;
  if (kind == TransferKind::kMno && command.endpoint) foreign = "/endpoint";
  if (kind == TransferKind::kAsp && command.iccid) foreign = "/iccid";
  if (kind == TransferKind::kAsp && command.eid) foreign = "/eid";
  if (foreign.empty()) return Done{};
  return Error::Make(Code::kValueSyntax, "transfer_mismatch",
                     "an MNO names device or eid, and iccid; an ASP names device and endpoint", foreign);
}

UniqueValue ClaimOf(const TransferId& transfer) { return {UniqueKind::kTransfer, AsBytes(transfer.text())}; }

Result<Device> FindAuthorised(const wire::TransferRequest& command, Case& at) {
  constexpr auto kPurpose = domain::CodePurpose::kTransfer;
  if (command.eid) return AuthoriseByEid(*command.eid, kPurpose, command.authorisation_code, at);
  return Authorise(*command.device, kPurpose, command.authorisation_code, at);
}

// Whoever holds the code may learn why it is of no use now.
Status MayBegin(const Device& device, TransferKind kind, const std::optional<PartyId>& from,
                const PartyId& to) {
  if (domain::InTransfer(device)) {
    return Error::Make(Code::kStatusProhibits, "transfer_open", "another transfer of the device goes on",
                       "/device");
  }
  const auto next =
      domain::Next(device, kind == TransferKind::kMno ? Command::kTransferMno : Command::kTransferAsp);
  if (!next) return next.error();
  if (!from) {
    return Error::Make(Code::kStatusProhibits, "device_unclaimed",
                       "the device is no ASP's: it is claimed, not transferred", "/device");
  }
  if (from == to) {
    return Error::Make(Code::kPolicy, "transfer_to_itself", "the device is the sender's already", "/device");
  }
  if (kind == TransferKind::kMno && !domain::HasRoomForProfile(device))
    return Error::Make(Code::kPolicy, "profiles_too_many", "the device has as many profiles as it may",
                       "/device");
  return Done{};
}

// What an MNO was asked to do to a profile, another's transfer among it, has an end first.
Status CheckIdle(const Device& device, TransferKind kind, Case& at) {
  if (kind != TransferKind::kMno) return Done{};
  const auto waiting = jobs::Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  for (const auto one : {JobKind::kProfileEnable, JobKind::kProfileDisable, JobKind::kProfileDelete}) {
    if (!waiting->Has(one)) continue;
    return Error::Make(Code::kStatusProhibits, "profile_busy",
                       "an MNO has not reported yet what it was asked to do to a profile of the device",
                       "/device");
  }
  return Done{};
}

Status CheckGain(const wire::TransferRequest& command, Case& at) {
  if (command.endpoint) {
    const auto endpoint = EndpointToBind(*command.endpoint, at);
    return endpoint ? Status(Done{}) : Status(endpoint.error());
  }
  const auto holder = at.view.FindUnique({UniqueKind::kIccid, AsBytes(command.iccid->text())});
  if (!holder) return holder.error();
  if (!*holder) return Done{};
  // Who has the profile is said no more than at a registration.
  return Error::Make(Code::kExists, "esim_unavailable",
                     "the device cannot be transferred to a profile of this ICCID", "/iccid");
}

Transfer NewTransfer(const wire::TransferRequest& command, const Device& device, TransferKind kind,
                     const PartyId& from, const Case& at) {
  Transfer transfer;
  transfer.id = NewTransferId(device.id, at.context);
  transfer.device = device.id;
  transfer.kind = kind;
  transfer.from = from;
  transfer.to = at.origin.party;
  transfer.requested = at.context.now;
  transfer.decides_at = at.context.now + at.policy.transfer.decide_within;
  transfer.iccid = command.iccid;
  transfer.endpoint = command.endpoint;
  return transfer;
}

void Begin(Device& device, Transfer transfer, Case& at) {
  if (device.transfer) at.changes.releases.push_back(ClaimOf(device.transfer->id));
  at.changes.claims.emplace_back(ClaimOf(transfer.id), device.id);
  if (transfer.iccid) {
    at.changes.claims.emplace_back(UniqueValue{UniqueKind::kIccid, AsBytes(transfer.iccid->text())},
                                   device.id);
  }
  device.transfer = std::move(transfer);
  device.statuses.insert(domain::DeviceStatus::kPendingTransfer);
  TellTransfer<wire::TransferRequested>(device, "requested", {}, at);
}

// Looked at no less often, so that no clock that is set back makes a decision wait for long (LatestDue).
constexpr std::chrono::hours kLookMax{1};

// As told to both parties. By a clock that was ahead and has been set back nobody waits longer than by the other.
UtcTime DecidedAt(const domain::Job& job, const Transfer& transfer) {
  return job.created + std::chrono::microseconds(transfer.decides_at.micros - transfer.requested.micros);
}

void LookAgain(domain::Job job, const Transfer& transfer, Case& at) {
  job.due = std::min(DecidedAt(job, transfer), at.context.now + kLookMax);
  at.changes.jobs_put.push_back(std::move(job));
}

void AwaitDecision(const Device& device, Case& at) {
  LookAgain(jobs::New(JobKind::kTransferDecide, device, at.context), *device.transfer, at);
}

// ---- the answer

enum class Side { kLosing, kGaining };

// Whoever is not concerned is not told whether there is such a transfer.
Error NotConcerned(Side side) {
  if (side == Side::kLosing) {
    return Error::Make(Code::kNotAuthorised, "not_losing_party",
                       "no transfer of this id is one by which the sender loses a device", "/transfer");
  }
  return Error::Make(Code::kNotAuthorised, "not_gaining_party",
                     "no transfer of this id was requested by the sender", "/transfer");
}

Result<Device> FindPending(const TransferId& id, Side side, Command command, const Case& at) {
  const auto holder = at.view.FindUnique(ClaimOf(id));
  if (!holder) return holder.error();
  const bool may_know = at.origin.role == wire::Role::kOperator;
  const Error unknown =
      may_know ? Error::Make(Code::kNotFound, "transfer_unknown", "no such transfer", "/transfer")
               : NotConcerned(side);
  if (!*holder) return unknown;
  auto device = at.view.LoadDevice(**holder);
  if (!device) return device.error();
  if (!*device || !(*device)->transfer || (*device)->transfer->id != id) return unknown;
  const Transfer& transfer = *(*device)->transfer;
  const PartyId& party = side == Side::kLosing ? transfer.from : transfer.to;
  if (!may_know && party != at.origin.party) return NotConcerned(side);
  if (transfer.state != TransferState::kPending) {
    return Error::Make(Code::kStatusProhibits, "transfer_not_pending",
                       "the transfer is " + std::string(TransferStateName(transfer.state)) + " already",
                       "/transfer");
  }
  if (auto next = domain::Next(**device, command); !next) return next.error();
  return std::move(**device);
}

Status EndWaiting(Device& device, Case& at) {
  const auto waiting = jobs::Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  jobs::EndSuperseded(device, domain::Superseding::kTransferDecided, *waiting, at.changes);
  return Done{};
}

template <class Message>
Status Refuse(Device& device, TransferState state, const std::string& reason, Case& at) {
  if (auto ended = EndWaiting(device, at); !ended) return ended;
  device.transfer->state = state;
  device.statuses.erase(domain::DeviceStatus::kPendingTransfer);
  if (device.transfer->iccid) {
    if (auto released = ReleaseIccid(device, *device.transfer->iccid, at); !released) return released;
  }
  TellTransfer<Message>(device, TransferStateName(state), reason, at);
  return Done{};
}

Reply Finish(const Device& device, Case& at) {
  Put(device, at.changes);
  return wire::Encode(ToldOf(device));
}

}  // namespace

TransferId NewTransferId(const DeviceId& device, const Context& context) {
  DeviceId::Octets octets;
  context.random(octets.data(), octets.size());
  std::copy_n(device.octets().begin(), octets.size() / 2, octets.begin());
  return *TransferId::Parse(DeviceId::FromRandom(octets).text());
}

Result<Reply> Decide(const wire::TransferRequest& command, Case& at) {
  const auto kind = at.origin.role == wire::Role::kMno ? TransferKind::kMno : TransferKind::kAsp;
  if (auto sound = CheckMembers(command, kind); !sound) return sound.error();
  auto found = FindAuthorised(command, at);
  if (!found) return found.error();
  Device& device = *found;
  const auto from =
      kind == TransferKind::kMno ? std::optional(domain::Sponsor(device)) : domain::Claimer(device);
  if (auto may = MayBegin(device, kind, from, at.origin.party); !may) return may.error();
  if (auto idle = CheckIdle(device, kind, at); !idle) return idle.error();
  if (auto sound = CheckGain(command, at); !sound) return sound.error();
  Begin(device, NewTransfer(command, device, kind, *from, at), at);
  if (at.policy.transfer.auto_approve.contains(*from)) {
    if (auto approved = ApproveTransfer(device, {}, at); !approved) return approved.error();
  } else {
    AwaitDecision(device, at);
  }
  return Finish(device, at);
}

Result<Reply> Decide(const wire::TransferApprove& command, Case& at) {
  auto device = FindPending(command.transfer, Side::kLosing, Command::kApprove, at);
  if (!device) return device.error();
  if (auto ended = EndWaiting(*device, at); !ended) return ended.error();
  if (auto approved = ApproveTransfer(*device, command.reason, at); !approved) return approved.error();
  return Finish(*device, at);
}

Result<Reply> Decide(const wire::TransferReject& command, Case& at) {
  auto device = FindPending(command.transfer, Side::kLosing, Command::kReject, at);
  if (!device) return device.error();
  auto refused = Refuse<wire::TransferRejected>(*device, TransferState::kRejected, command.reason, at);
  if (!refused) return refused.error();
  return Finish(*device, at);
}

Result<Reply> Decide(const wire::TransferCancel& command, Case& at) {
  auto device = FindPending(command.transfer, Side::kGaining, Command::kCancel, at);
  if (!device) return device.error();
  auto refused = Refuse<wire::TransferCancelled>(*device, TransferState::kCancelled, command.reason, at);
  if (!refused) return refused.error();
  return Finish(*device, at);
}

Status DecideUnanswered(domain::Job job, Device device, Case& at) {
  const bool pending = device.transfer && device.transfer->state == TransferState::kPending;
  job.created = std::min(job.created, at.context.now);
  if (pending && DecidedAt(job, *device.transfer) > at.context.now) {
    LookAgain(std::move(job), *device.transfer, at);
    return Done{};
  }
  at.changes.jobs_erase.push_back(job.id);
  if (!pending) return Done{};
  const std::string reason = "not answered in time";
  Status decided = at.policy.transfer.approve_unanswered
                       ? ApproveTransfer(device, reason, at)
                       : Refuse<wire::TransferRejected>(device, TransferState::kRejected, reason, at);
  if (!decided) return decided;
  Put(device, at.changes);
  return Done{};
}

}  // namespace registry::lifecycle
