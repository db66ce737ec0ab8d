#include "workers/domain/device_steps.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/codes.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::State;

Status MayClaim(const domain::Device& device) {
  if (domain::Claimer(device))
    return Error::Make(Code::kExists, "device_claimed", "the device is claimed", "/device");
  const auto next = domain::Next(device, domain::Command::kClaim);
  if (!next) return next.error();
  return Done{};
}

}  // namespace

Result<Reply> Decide(const wire::DeviceClaim& command, Case& at) {
  auto& [origin, view, context, policy, signer, changes] = at;
  // The code comes first: who does not hold it learns nothing of the device's state or claimer.
  auto device = Authorise(command.device, domain::CodePurpose::kClaim, command.authorisation_code, at);
  if (!device) return device.error();
  if (auto may = MayClaim(*device); !may) return may.error();
  const auto endpoint = EndpointToBind(command.endpoint, at);
  if (!endpoint) return endpoint.error();

  domain::Bind(*device, origin.party, command.endpoint);
  domain::NoteStep(*device, "claimed", context.now);
  changes.history.push_back(domain::History(*device, origin.party, "claimed", context.now, origin.id));
  if (const auto* live = domain::LiveCertificate(*device)) {
    const wire::DeviceCertified certified{device->id, DeviceName(device->id, policy.zone), live->der,
                                          live->not_after};
    changes.notifications.push_back(domain::Notify(origin.party, certified, context, origin.id));
  }
  if (device->state == State::kPublished) {
    auto pushed = PushPayload(*device, *endpoint, at);
    if (!pushed) return pushed.error();
  }
  Put(*device, changes);
  wire::DeviceState state = StateOf(*device);
  state.pilot_form_absent =
      payload_push::PilotFormAbsent(endpoint->endpoint, DeviceName(device->id, policy.zone));
  return wire::Encode(state);
}

}  // namespace registry::lifecycle
