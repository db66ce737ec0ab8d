// On the network and off it: detach, disconnect, reconnect, and what the MNO reports of a device's profiles.
#include "workers/domain/device_steps.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/jobs/sending.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Command;
using domain::Device;
using domain::DeviceStatus;
using domain::JobKind;

// At once, or when the applet has been emptied: a disabled profile's applet is out of reach.
Status Disconnect(Device& device, const jobs::Waiting& waiting, Case& at) {
  device.statuses.insert(DeviceStatus::kDisconnected);
  jobs::EndSuperseded(device, domain::Superseding::kDisconnected, waiting, at.changes);
  const domain::Job* const wipe = waiting.Find(JobKind::kAppletWipe);
  if (wipe != nullptr && wipe->wanted) return Done{};
  return jobs::Ask(JobKind::kProfileDisable, device, at.view, at.context, at.policy.retry, at.changes);
}

template <class Message>
Reply Finish(Device& device, std::string_view what, const std::string& reason, Case& at) {
  RecordStep(device, what, reason, at);
  const Message message{device.id, DeviceName(device.id, at.policy.zone), at.origin.party, reason};
  NotifyStakeholders(device, message, at);
  Put(device, at.changes);
  return wire::Encode(StateOf(device));
}

}  // namespace

Result<Reply> Decide(const wire::DeviceDisconnect& command, Case& at) {
  auto device = FindManaged(command.device, at.origin, at.view);
  if (!device) return device.error();
  const auto next = domain::Next(*device, Command::kDisconnect);
  if (!next) return next.error();
  if (auto settled = RefuseInTransfer(*device); !settled) return settled.error();
  const auto waiting = jobs::Waiting::Of(device->id, at.view);
  if (!waiting) return waiting.error();
  device->state = *next;
  if (auto asked = Disconnect(*device, *waiting, at); !asked) return asked.error();
  return Finish<wire::DeviceDisconnected>(*device, "disconnected", command.reason, at);
}

Result<Reply> Decide(const wire::DeviceReconnect& command, Case& at) {
  auto device = FindManaged(command.device, at.origin, at.view);
  if (!device) return device.error();
  const bool by_operator = at.origin.role == wire::Role::kOperator;
  const auto next = domain::Next(*device, by_operator ? Command::kServerReconnect : Command::kReconnect);
  if (!next) return next.error();
  if (auto settled = RefuseInTransfer(*device); !settled) return settled.error();
  const auto waiting = jobs::Waiting::Of(device->id, at.view);
  if (!waiting) return waiting.error();
  device->state = *next;
  device->statuses.erase(DeviceStatus::kDisconnected);
  jobs::EndSuperseded(*device, domain::Superseding::kReconnected, *waiting, at.changes);
  // Asked for even where the profile was not disabled yet: the MNO may be about to.
  if (auto asked =
          jobs::Ask(JobKind::kProfileEnable, *device, at.view, at.context, at.policy.retry, at.changes);
      !asked) {
    return asked.error();
  }
  return Finish<wire::DeviceReconnected>(*device, "reconnected", command.reason, at);
}

Result<Reply> Decide(const wire::DeviceDetach& command, Case& at) {
  auto device = FindLive(command.device, at.view);
  if (!device) return device.error();
  const domain::Profile* const profile = ProfileOf(*device, command.profile, at.origin.party);
  if (profile == nullptr) return NotSponsor();
  // Said again, or of a device that was never there, it is no news.
  if (!profile->attached) return wire::Encode(StateOf(*device));
  const bool serving = profile == domain::Serving(*device);
  device->state = domain::After(*device, domain::Fact::kDetached);
  domain::LeaveNetwork(*device, profile->number);
  RecordStep(*device, "detached", {}, at);
  if (serving) {
    NotifyStakeholders(*device, wire::DeviceDetached{device->id, DeviceName(device->id, at.policy.zone)}, at);
  }
  Put(*device, at.changes);
  return wire::Encode(StateOf(*device));
}

}  // namespace registry::lifecycle
