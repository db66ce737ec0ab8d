// Suspend and resume: nobody is to trust the device for a while, and nothing of it is lost.
#include "schemas/base/check.h"
#include "workers/dns/show.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/renewal.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Command;
using domain::Device;
using domain::DeviceStatus;

// Each role has a hold of its own (RFC 5731 §2.3): who set one lifts it.
struct Hold {
  DeviceStatus status;
  Command suspend, resume;
};

Hold HoldOf(wire::Role role) {
  switch (role) {
    case wire::Role::kAsp:
      return {DeviceStatus::kClientHold, Command::kSuspend, Command::kResume};
    case wire::Role::kMno:
      return {DeviceStatus::kSponsorHold, Command::kSponsorSuspend, Command::kSponsorResume};
    case wire::Role::kOperator:
      return {DeviceStatus::kServerHold, Command::kServerSuspend, Command::kServerResume};
  }
  REG_CHECK(false);
}

// The operator names no hold, so it lifts them all.
void Lift(Device& device, wire::Role role) {
  if (role != wire::Role::kOperator) {
    device.statuses.erase(HoldOf(role).status);
    return;
  }
  for (const wire::Role each : {wire::Role::kAsp, wire::Role::kMno, wire::Role::kOperator}) {
    device.statuses.erase(HoldOf(each).status);
  }
}

template <class Message>
Reply Finish(const Device& device, const std::string& reason, Case& at) {
  const Message message{device.id, DeviceName(device.id, at.policy.zone), at.origin.party, reason,
                        NamesOf(device.statuses)};
  NotifyStakeholders(device, message, at);
  Put(device, at.changes);
  return wire::Encode(StateOf(device));
}

}  // namespace

Result<Reply> Decide(const wire::DeviceSuspend& command, Case& at) {
  auto device = FindConcerned(command.device, at.origin, at.view);
  if (!device) return device.error();
  const Hold hold = HoldOf(at.origin.role);
  const auto next = domain::Next(*device, hold.suspend);
  if (!next) return next.error();
  const auto waiting = jobs::Waiting::Of(device->id, at.view);
  if (!waiting) return waiting.error();
  const bool held = domain::OnHold(*device);
  device->state = *next;
  device->statuses.insert(hold.status);
  // What was asked for is not to be had while it is held; what the device is still owed is asked for again by resume.
  jobs::EndSuperseded(*device, domain::Superseding::kHeld, *waiting, at.changes);
  OweKey(*device, *waiting, at);
  if (!held && domain::Live(*device) != nullptr) dns::Show(*device, *waiting, at);
  RecordStep(*device, "suspended", command.reason, at);
  return Finish<wire::DeviceSuspended>(*device, command.reason, at);
}

Result<Reply> Decide(const wire::DeviceResume& command, Case& at) {
  auto device = FindConcerned(command.device, at.origin, at.view);
  if (!device) return device.error();
  const auto next = domain::Next(*device, HoldOf(at.origin.role).resume);
  if (!next) return next.error();
  const auto waiting = jobs::Waiting::Of(device->id, at.view);
  if (!waiting) return waiting.error();
  device->state = *next;
  Lift(*device, at.origin.role);
  RecordStep(*device, "resumed", command.reason, at);
  if (!domain::OnHold(*device)) {
    if (domain::Live(*device) != nullptr) dns::Show(*device, *waiting, at);
    if (auto asked = AskForWhatIsOwed(*device, *waiting, at); !asked) return asked.error();
  }
  return Finish<wire::DeviceResumed>(*device, command.reason, at);
}

}  // namespace registry::lifecycle
