// Release and move: a device leaves its ASP, or goes to another endpoint of the same one.
#include "workers/domain/device_steps.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Command;
using domain::Device;

// The payload that was on its way says what is no longer so. A device without a certificate in DNS gets its first payload
// later, and one that is deactivated when it comes back.
Status PushAnew(Device& device, Case& at) {
  const bool shown = device.state == domain::State::kPublished || device.state == domain::State::kActive;
  if (shown) return PushPayload(device, at);
  const auto waiting = jobs::Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  jobs::EndSuperseded(device, domain::Superseding::kPayloadReplaced, *waiting, at.changes);
  return Done{};
}

}  // namespace

Result<Reply> Decide(const wire::DeviceRelease& command, Case& at) {
  auto device = FindManaged(command.device, at.origin, at.view);
  if (!device) return device.error();
  const auto next = domain::Next(*device, Command::kRelease);
  if (!next) return next.error();
  if (auto settled = RefuseInTransfer(*device); !settled) return settled.error();
  const wire::DeviceReleased message{device->id, DeviceName(device->id, at.policy.zone), at.origin.party,
                                     command.reason};
  NotifyStakeholders(*device, message, at);
  device->state = *next;
  domain::Unbind(*device);
  // Whoever knew the code that was used could claim the device again.
  domain::DropCode(*device, domain::CodePurpose::kClaim);
  RecordStep(*device, "released", command.reason, at);
  if (auto pushed = PushAnew(*device, at); !pushed) return pushed.error();
  Put(*device, at.changes);
  return wire::Encode(StateOf(*device));
}

Result<Reply> Decide(const wire::DeviceMove& command, Case& at) {
  auto device = FindManaged(command.device, at.origin, at.view);
  if (!device) return device.error();
  const auto next = domain::Next(*device, Command::kMove);
  if (!next) return next.error();
  if (auto settled = RefuseInTransfer(*device); !settled) return settled.error();
  const auto endpoint = EndpointToBind(command.endpoint, at);
  if (!endpoint) return endpoint.error();
  wire::DeviceState state = StateOf(*device);
  const std::string name = DeviceName(device->id, at.policy.zone);
  state.pilot_form_absent = payload_push::PilotFormAbsent(endpoint->endpoint, name);
  if (domain::EndpointOf(*device) == command.endpoint) return wire::Encode(state);  // it is there
  device->state = *next;
  domain::MoveTo(*device, command.endpoint);
  RecordStep(*device, "moved", "to endpoint " + command.endpoint.text(), at);
  if (auto pushed = PushAnew(*device, at); !pushed) return pushed.error();
  NotifyStakeholders(*device, wire::DeviceMoved{device->id, name, command.endpoint}, at);
  Put(*device, at.changes);
  return wire::Encode(state);
}

}  // namespace registry::lifecycle
