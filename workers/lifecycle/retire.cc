// Deactivate, reactivate, delete: how a device stops being trusted, and comes back.
#include "workers/domain/lifecycle.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/jobs.h"
#include "workers/lifecycle/lifecycle.h"

namespace registry::lifecycle {
namespace {

using domain::Changeset;
using domain::Device;
using domain::Trigger;

constexpr std::uint8_t kCessationOfOperation = 5;  // RFC 5280 §5.3.1

void Revoke(Device& device, const Context& context, Changeset& changes) {
  if (!device.certificate) return;
  changes.revocations.push_back(
      {device.certificate->serial, context.now, kCessationOfOperation, device.certificate->not_after});
  device.certificate.reset();
}

// Everything both ways of ending share: no live certificate, no waiting work, an empty applet where it can be reached.
Status End(Device& device, const Origin& origin, const View& view, const Context& context,
           const Policy& policy, std::string_view what, const std::string& reason, Changeset& changes) {
  Revoke(device, context, changes);
  if (auto erased = EraseAllButWipe(device, view, changes); !erased) return erased;
  auto wiping = Waits(device, domain::JobKind::kAppletWipe, view);
  if (!wiping) return wiping.error();
  // No key was made since a wipe that still waits was asked for: it is the wipe that is wanted now.
  if (device.attached && !*wiping) AskForWipe(device, context, policy, changes);
  domain::Mark(device, what, context.now);
  std::string entry(what);
  if (!reason.empty()) entry += ": " + reason;
  changes.history.push_back(domain::History(device, origin.party, std::move(entry), context.now, origin.id));
  return Done{};
}

template <class Message>
Decision Finish(Device& device, std::string_view type, const Origin& origin, const std::string& reason,
                const Context& context, const Policy& policy, Changeset changes) {
  const Message message{device.id, DeviceName(device.id, policy.payload.zone), origin.party, reason};
  NotifyStakeholders(device, type, message, context, origin.id, changes);
  Put(device, changes);
  Decision decision{std::move(changes), {}};
  decision.reply = wire::Encode(wire::DeviceState{device.id, std::string(domain::StateName(device.state))});
  return decision;
}

}  // namespace

Result<Decision> Decide(const wire::DeviceDeactivate& command, const Origin& origin, const View& view,
                        const Context& context, const Policy& policy) {
  auto device = FindManaged(command.device, origin, view);
  if (!device) return device.error();
  const auto next = domain::Next(*device, Trigger::kDeactivate);
  if (!next) return next.error();
  Changeset changes;
  device->state = *next;
  // RFC 5731 §2.3: a server status is the registry's; the client that asks to go on cannot take it away.
  if (origin.role == wire::Role::kOperator) device->holds.insert(domain::HoldStatus::kServerHold);
  if (auto ended = End(*device, origin, view, context, policy, "deactivated", command.reason, changes);
      !ended) {
    return ended.error();
  }
  ++device->zone_revision;
  changes.zone.push_back(dns::Deactivated(*device));
  ExpectVisible(*device, context, policy, changes);
  return Finish<wire::DeviceDeactivated>(*device, "device.deactivated", origin, command.reason, context,
                                         policy, std::move(changes));
}

Result<Decision> Decide(const wire::DeviceReactivate& command, const Origin& origin, const View& view,
                        const Context& context, const Policy& policy) {
  auto device = FindManaged(command.device, origin, view);
  if (!device) return device.error();
  if (origin.role == wire::Role::kOperator) device->holds.erase(domain::HoldStatus::kServerHold);
  const auto next = domain::Next(*device, Trigger::kReactivate);
  if (!next) return next.error();
  Changeset changes;
  device->state = *next;
  auto wiping = StopWanting(*device, view, changes);
  if (!wiping) return wiping.error();
  domain::Mark(*device, "reactivated", context.now);
  std::string entry = "reactivated";
  if (!command.reason.empty()) entry += ": " + command.reason;
  changes.history.push_back(domain::History(*device, origin.party, std::move(entry), context.now, origin.id));
  // What deactivation has put there ("state=deactivated") is signed by us and no longer true.
  ++device->zone_revision;
  changes.zone.push_back(dns::Gone(*device));
  ExpectVisible(*device, context, policy, changes);
  // The old key and certificate are gone for good: a device comes back with a new key pair. Not while the MNO may still
  // empty the applet, though: a late wipe would take the new key with it. AfterWipe asks then.
  if (device->state == domain::State::kAttached && !*wiping) AskForKey(*device, context, policy, changes);
  return Finish<wire::DeviceReactivated>(*device, "device.reactivated", origin, command.reason, context,
                                         policy, std::move(changes));
}

Result<Decision> Decide(const wire::DeviceDelete& command, const Origin& origin, const View& view,
                        const Context& context, const Policy& policy) {
  auto device = FindManaged(command.device, origin, view);
  if (!device) return device.error();
  const auto next = domain::Next(*device, Trigger::kDelete);
  if (!next) return next.error();
  Changeset changes;
  device->state = *next;
  if (auto ended = End(*device, origin, view, context, policy, "deleted", command.reason, changes); !ended) {
    return ended.error();
  }
  // The hardware and the profile may be registered again; a public key or serial never belongs to a second device. Not
  // before the wipe has ended, though: it names the eSIM, and would empty the applet of the device registered there
  // next.
  if (!device->attached) {
    if (auto released = ReleaseEsim(*device, view, changes); !released) return released.error();
  }
  if (device->zone_revision > 0) {
    ++device->zone_revision;
    changes.zone.push_back(dns::Gone(*device));
    ExpectVisible(*device, context, policy, changes);
  }
  return Finish<wire::DeviceDeleted>(*device, "device.deleted", origin, command.reason, context, policy,
                                     std::move(changes));
}

}  // namespace registry::lifecycle
