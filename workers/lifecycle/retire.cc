// Deactivate, reactivate, delete: how a device stops being trusted, and comes back.
#include "workers/dns/show.h"
#include "workers/domain/device_steps.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/renewal.h"
#include "workers/lifecycle/transfer.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Changeset;
using domain::Command;
using domain::Device;
using domain::JobKind;
using domain::Superseding;
using jobs::Waiting;

constexpr std::uint8_t kCessationOfOperation = 5;  // RFC 5280 §5.3.1

// No key was made since a wipe that still waits was asked for: it is the wipe that is wanted now.
Status WantWipe(const Device& device, const Waiting& waiting, Case& at) {
  if (const domain::Job* wipe = waiting.Find(JobKind::kAppletWipe)) {
    jobs::WantAgain(*wipe, at.changes);
    return Done{};
  }
  if (!domain::EverSeen(device)) return Done{};
  return jobs::Ask(JobKind::kAppletWipe, device, at.view, at.context, at.policy.retry, at.changes);
}

// Whether one may still come, though the device that came back has no use for it.
bool StopWantingWipe(const Waiting& waiting, Changeset& changes) {
  const domain::Job* const wipe = waiting.Find(JobKind::kAppletWipe);
  return wipe != nullptr && jobs::StopWanting(*wipe, changes);
}

// Everything both ways of ending share: no live certificate, no waiting work, an empty applet where it can be reached.
Status End(Device& device, const Waiting& waiting, std::string_view what, const std::string& reason,
           Case& at) {
  const Error why =
      Error::Make(Code::kStatusProhibits, "device_ended", "the device was " + std::string(what));
  if (auto failed = FailTransfer(device, why, at); !failed) return failed;
  if (auto revoked = RevokeAll(device, kCessationOfOperation, at); !revoked) return revoked;
  jobs::EndSuperseded(device, Superseding::kRetired, waiting, at.changes);
  if (auto wiped = WantWipe(device, waiting, at); !wiped) return wiped;
  RecordStep(device, what, reason, at);
  return Done{};
}

Status Deactivate(Device& device, const std::string& reason, Case& at) {
  const bool by_operator = at.origin.role == wire::Role::kOperator;
  const auto next = domain::Next(device, by_operator ? Command::kServerDeactivate : Command::kDeactivate);
  if (!next) return next.error();
  device.state = *next;
  const auto waiting = Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  if (auto ended = End(device, *waiting, "deactivated", reason, at); !ended) return ended;
  dns::Show(device, *waiting, at);
  return Done{};
}

template <class Message>
void Tell(const Device& device, const std::string& reason, Case& at) {
  const Message message{device.id, DeviceName(device.id, at.policy.zone), at.origin.party, reason};
  NotifyStakeholders(device, message, at);
}

// The profile is disabled when the wipe that was just asked for has ended (AfterWipe); one that was never enabled needs no
// disabling.
Status DisconnectAfterWipe(Device& device, const std::string& reason, Case& at) {
  using domain::DeviceStatus;
  if (!domain::EverSeen(device) || device.statuses.contains(DeviceStatus::kDisconnected)) return Done{};
  const auto waiting = Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  jobs::EndSuperseded(device, Superseding::kDisconnected, *waiting, at.changes);
  device.statuses.insert(DeviceStatus::kDisconnected);
  Tell<wire::DeviceDisconnected>(device, reason, at);
  return Done{};
}

template <class Message>
Reply Finish(Device& device, const std::string& reason, Case& at) {
  Tell<Message>(device, reason, at);
  Put(device, at.changes);
  return wire::Encode(StateOf(device));
}

// The operator's second deactivation: the wipe was given up, or the card is doubted. Who holds the device stays as it is,
// and nobody is told anew what holds already.
Result<Reply> WipeAgain(Device& device, const wire::DeviceDeactivate& command, Case& at) {
  if (const auto next = domain::Next(device, Command::kServerDeactivate); !next) return next.error();
  const auto waiting = Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  if (auto wiped = WantWipe(device, *waiting, at); !wiped) return wiped.error();
  RecordStep(device, "wipe asked again", command.reason, at);
  if (command.disconnect) {
    if (auto off = DisconnectAfterWipe(device, command.reason, at); !off) return off.error();
  }
  Put(device, at.changes);
  return wire::Encode(StateOf(device));
}

// Whoever asks for a second wipe has looked before: of two who have seen the same one is too late, and a device that came
// back meanwhile is not to be deactivated by it.
Status IsAsItWas(const Device& device, std::uint64_t version) {
  if (version == 0 || version == device.version) return Done{};
  return Error::Make(Code::kStatusProhibits, "device_changed",
                     "the device's record has version " + std::to_string(device.version) +
                         " now: something has happened to it since");
}

}  // namespace

Result<Reply> Decide(const wire::DeviceDeactivate& command, Case& at) {
  auto device = FindManaged(command.device, at.origin, at.view);
  if (!device) return device.error();
  if (auto same = IsAsItWas(*device, command.record_version); !same) return same.error();
  const bool by_operator = at.origin.role == wire::Role::kOperator;
  if (by_operator && device->state == domain::State::kDeactivated) return WipeAgain(*device, command, at);
  // RFC 5731 §2.3: a server status is the registry's; the client that asks to go on cannot take it away.
  if (by_operator) device->statuses.insert(domain::DeviceStatus::kServerHold);
  if (auto ended = Deactivate(*device, command.reason, at); !ended) return ended.error();
  if (command.disconnect) {
    if (auto off = DisconnectAfterWipe(*device, command.reason, at); !off) return off.error();
  }
  return Finish<wire::DeviceDeactivated>(*device, command.reason, at);
}

Result<Reply> Decide(const wire::DeviceReactivate& command, Case& at) {
  auto device = FindManaged(command.device, at.origin, at.view);
  if (!device) return device.error();
  const bool by_operator = at.origin.role == wire::Role::kOperator;
  const auto next = domain::Next(*device, by_operator ? Command::kServerReactivate : Command::kReactivate);
  if (!next) return next.error();
  if (by_operator) device->statuses.erase(domain::DeviceStatus::kServerHold);
  device->state = *next;
  device->came_back = true;
  const auto waiting = Waiting::Of(device->id, at.view);
  if (!waiting) return waiting.error();
  const bool wiping = StopWantingWipe(*waiting, at.changes);
  RecordStep(*device, "reactivated", command.reason, at);
  // What deactivation has put there ("state=deactivated") is signed by us and no longer true; nor does anybody wait for it.
  dns::Show(*device, *waiting, at);
  // The old key and certificate are gone for good: a device comes back with a new key pair. Not while the MNO may still
  // empty the applet, though: a late wipe would take the new key with it. AfterWipe asks then.
  if (device->state == domain::State::kAttached && !wiping) {
    if (auto asked = AskForKey(*device, at); !asked) return asked.error();
  }
  return Finish<wire::DeviceReactivated>(*device, command.reason, at);
}

Result<Reply> Decide(const wire::DeviceDelete& command, Case& at) {
  auto device = FindManaged(command.device, at.origin, at.view);
  if (!device) return device.error();
  const auto next = domain::Next(*device, Command::kDelete);
  if (!next) return next.error();
  // Who deleted it restores it: what the operator deleted its ASP does not.
  if (at.origin.role == wire::Role::kOperator) device->statuses.insert(domain::DeviceStatus::kServerHold);
  device->state = *next;
  const auto waiting = Waiting::Of(device->id, at.view);
  if (!waiting) return waiting.error();
  if (auto ended = End(*device, *waiting, "deleted", command.reason, at); !ended) return ended.error();
  // The hardware and the profile may be registered again; a public key or serial never belongs to a second device. Not
  // before the wipe has ended, though, and whatever else was asked of the eSIM's MNOs.
  if (auto released = ReleaseIdleEsim(*device, *waiting, at); !released) return released.error();
  dns::Show(*device, *waiting, at);
  return Finish<wire::DeviceDeleted>(*device, command.reason, at);
}

Status DecideRevoked(const domain::Revocation& published, Case& at) {
  const auto holder = at.view.FindUnique({domain::UniqueKind::kSerial, published.serial});
  if (!holder) return holder.error();
  auto device = *holder ? at.view.LoadDevice(**holder) : Result<std::optional<Device>>(std::nullopt);
  if (!device) return device.error();
  const auto* const current = *device ? domain::LiveCertificate(**device) : nullptr;
  const bool live = current != nullptr && current->serial == published.serial;
  if (!live) {
    at.changes.revocations.push_back(published);
    return Done{};
  }
  // Whether its operator had put it on hold is no longer known, so it is taken that way (RFC 5731 §2.3).
  (*device)->statuses.insert(domain::DeviceStatus::kServerHold);
  const std::string reason = "its certificate is on the CRL that was published";
  if (auto ended = Deactivate(**device, reason, at); !ended) return ended;
  for (domain::Revocation& revocation : at.changes.revocations) {
    if (revocation.serial != published.serial) continue;
    revocation.at = std::min(published.at, at.context.now);
    revocation.reason = published.reason;
  }
  Tell<wire::DeviceDeactivated>(**device, reason, at);
  Put(**device, at.changes);
  return Done{};
}

}  // namespace registry::lifecycle
