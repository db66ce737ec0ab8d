// Deactivate, reactivate, delete: how a device stops being trusted, and comes back.
#include "workers/domain/device_steps.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
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

void Revoke(Device& device, const Context& context, Changeset& changes) {
  for (const auto& [certificate, profile, phase, since] : device.credentials) {
    changes.revocations.push_back(
        {certificate.serial, context.now, kCessationOfOperation, certificate.not_after});
  }
  domain::DropCredentials(device);
}

// Who ends a device, with which command.
struct Cause {
  PartyId actor;
  std::optional<EventId> command;
  std::string reason;
};

// No key was made since a wipe that still waits was asked for: it is the wipe that is wanted now.
Status WantWipe(const Device& device, const Waiting& waiting, const View& view, const Context& context,
                const Policy& policy, Changeset& changes) {
  if (const domain::Job* wipe = waiting.Find(JobKind::kAppletWipe)) {
    jobs::WantAgain(*wipe, changes);
    return Done{};
  }
  if (!domain::Attached(device)) return Done{};
  return jobs::Ask(JobKind::kAppletWipe, device, view, context, policy.retry, changes);
}

// Whether one may still come, though the device that came back has no use for it.
bool StopWantingWipe(const Waiting& waiting, Changeset& changes) {
  const domain::Job* const wipe = waiting.Find(JobKind::kAppletWipe);
  return wipe != nullptr && jobs::StopWanting(*wipe, changes);
}

// Everything both ways of ending share: no live certificate, no waiting work, an empty applet where it can be reached.
Status End(Device& device, const Cause& cause, const Waiting& waiting, const View& view,
           const Context& context, const Policy& policy, std::string_view what, Changeset& changes) {
  Revoke(device, context, changes);
  jobs::EndSuperseded(device, Superseding::kRetired, waiting, changes);
  if (auto wiped = WantWipe(device, waiting, view, context, policy, changes); !wiped) return wiped;
  domain::Mark(device, what, context.now);
  std::string entry(what);
  if (!cause.reason.empty()) entry += ": " + cause.reason;
  changes.history.push_back(
      domain::History(device, cause.actor, std::move(entry), context.now, cause.command));
  return Done{};
}

Status Deactivate(Device& device, const Cause& cause, const View& view, const Context& context,
                  const Policy& policy, Changeset& changes) {
  const auto next = domain::Next(device, Command::kDeactivate);
  if (!next) return next.error();
  device.state = *next;
  const auto waiting = Waiting::Of(device.id, view);
  if (!waiting) return waiting.error();
  auto ended = End(device, cause, *waiting, view, context, policy, "deactivated", changes);
  if (!ended) return ended;
  ++device.zone.wanted;
  changes.zone.push_back(dns::Deactivated(device));
  jobs::ExpectVisible(device, *waiting, context, policy.visible_within, changes);
  return Done{};
}

template <class Message>
void Tell(const Device& device, std::string_view type, const Cause& cause, const Context& context,
          const Policy& policy, Changeset& changes) {
  const Message message{device.id, DeviceName(device.id, policy.zone), cause.actor, cause.reason};
  NotifyStakeholders(device, type, message, context, cause.command, changes);
}

template <class Message>
Reply Finish(Device& device, std::string_view type, const Cause& cause, Case& at) {
  Tell<Message>(device, type, cause, at.context, at.policy, at.changes);
  Put(device, at.changes);
  return wire::Encode(wire::DeviceState{device.id, std::string(domain::StateName(device.state))});
}

}  // namespace

Result<Reply> Decide(const wire::DeviceDeactivate& command, Case& at) {
  auto& [origin, view, context, policy, signer, changes] = at;
  auto device = FindManaged(command.device, origin, view);
  if (!device) return device.error();
  // RFC 5731 §2.3: a server status is the registry's; the client that asks to go on cannot take it away.
  if (origin.role == wire::Role::kOperator) device->statuses.insert(domain::DeviceStatus::kServerHold);
  const Cause cause{origin.party, origin.id, command.reason};
  if (auto ended = Deactivate(*device, cause, view, context, policy, changes); !ended) return ended.error();
  return Finish<wire::DeviceDeactivated>(*device, "device.deactivated", cause, at);
}

Result<Reply> Decide(const wire::DeviceReactivate& command, Case& at) {
  auto& [origin, view, context, policy, signer, changes] = at;
  auto device = FindManaged(command.device, origin, view);
  if (!device) return device.error();
  if (origin.role == wire::Role::kOperator) device->statuses.erase(domain::DeviceStatus::kServerHold);
  const auto next = domain::Next(*device, Command::kReactivate);
  if (!next) return next.error();
  device->state = *next;
  device->came_back = true;
  const auto waiting = Waiting::Of(device->id, view);
  if (!waiting) return waiting.error();
  const bool wiping = StopWantingWipe(*waiting, changes);
  domain::Mark(*device, "reactivated", context.now);
  std::string entry = "reactivated";
  if (!command.reason.empty()) entry += ": " + command.reason;
  changes.history.push_back(domain::History(*device, origin.party, std::move(entry), context.now, origin.id));
  // What deactivation has put there ("state=deactivated") is signed by us and no longer true; nor does anybody wait for it.
  ++device->zone.wanted;
  changes.zone.push_back(dns::Gone(*device));
  jobs::ExpectVisible(*device, *waiting, context, policy.visible_within, changes);
  // The old key and certificate are gone for good: a device comes back with a new key pair. Not while the MNO may still
  // empty the applet, though: a late wipe would take the new key with it. AfterWipe asks then.
  if (device->state == domain::State::kAttached && !wiping) {
    if (auto asked = AskForKey(*device, view, context, policy, changes); !asked) return asked.error();
  }
  return Finish<wire::DeviceReactivated>(*device, "device.reactivated",
                                         {origin.party, origin.id, command.reason}, at);
}

Result<Reply> Decide(const wire::DeviceDelete& command, Case& at) {
  auto& [origin, view, context, policy, signer, changes] = at;
  auto device = FindManaged(command.device, origin, view);
  if (!device) return device.error();
  const auto next = domain::Next(*device, Command::kDelete);
  if (!next) return next.error();
  device->state = *next;
  const Cause cause{origin.party, origin.id, command.reason};
  const auto waiting = Waiting::Of(device->id, view);
  if (!waiting) return waiting.error();
  auto ended = End(*device, cause, *waiting, view, context, policy, "deleted", changes);
  if (!ended) return ended.error();
  // The hardware and the profile may be registered again; a public key or serial never belongs to a second device. Not
  // before the wipe has ended, though: it names the eSIM, and would empty the applet of the device registered there
  // next.
  if (!domain::Attached(*device)) {
    if (auto released = ReleaseEsim(*device, view, changes); !released) return released.error();
  }
  if (device->zone.wanted > 0) {
    ++device->zone.wanted;
    changes.zone.push_back(dns::Gone(*device));
    jobs::ExpectVisible(*device, *waiting, context, policy.visible_within, changes);
  }
  return Finish<wire::DeviceDeleted>(*device, "device.deleted", cause, at);
}

Result<Changeset> DecideRevoked(const domain::Revocation& published, const View& view, const Context& context,
                                const Policy& policy) {
  Changeset changes;
  const auto holder = view.FindUnique({domain::UniqueKind::kSerial, published.serial});
  if (!holder) return holder.error();
  auto device = *holder ? view.LoadDevice(**holder) : Result<std::optional<Device>>(std::nullopt);
  if (!device) return device.error();
  const auto* const current = *device ? domain::LiveCertificate(**device) : nullptr;
  const bool live = current != nullptr && current->serial == published.serial;
  if (!live) {
    changes.revocations.push_back(published);
    return changes;
  }
  // Whether its operator had put it on hold is no longer known, so it is taken that way (RFC 5731 §2.3).
  (*device)->statuses.insert(domain::DeviceStatus::kServerHold);
  const Cause cause{domain::Registry(), std::nullopt, "its certificate is on the CRL that was published"};
  if (auto ended = Deactivate(**device, cause, view, context, policy, changes); !ended) return ended.error();
  for (domain::Revocation& revocation : changes.revocations) {
    if (revocation.serial != published.serial) continue;
    revocation.at = std::min(published.at, context.now);
    revocation.reason = published.reason;
  }
  Tell<wire::DeviceDeactivated>(**device, "device.deactivated", cause, context, policy, changes);
  Put(**device, changes);
  return changes;
}

}  // namespace registry::lifecycle
