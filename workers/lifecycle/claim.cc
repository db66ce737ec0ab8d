#include "workers/crypto/digest.h"
#include "workers/domain/device_steps.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::State;

// A used code is still known by its hash, so that whoever holds it can be told that it is used up.
bool HoldsCode(const domain::Device& device, const wire::DeviceClaim& command) {
  const domain::AuthorisationCode* const code = domain::CodeFor(device, domain::CodePurpose::kClaim);
  const Bytes given = crypto::Sha256OfText(command.authorisation_code);
  return crypto::SameSecret(code != nullptr ? code->hash : Bytes(), given);
}

// The code comes first: who does not hold it learns nothing of the device's state or claimer.
Status MayClaim(const domain::Device& device, const wire::DeviceClaim& command) {
  if (!HoldsCode(device, command)) {
    return Error::Make(Code::kBadAuthorisationCode, "authorisation_code_wrong",
                       "the authorisation code is not valid", "/authorisationCode");
  }
  if (domain::Claimer(device)) {
    return Error::Make(Code::kExists, "device_claimed",
                       "the device is claimed; its authorisation code is used up", "/device");
  }
  const auto next = domain::Next(device, domain::Command::kClaim);
  if (!next) return next.error();
  return Done{};
}

}  // namespace

Result<Reply> Decide(const wire::DeviceClaim& command, Case& at) {
  auto& [origin, view, context, policy, signer, changes] = at;
  auto device = FindLive(command.device, view);
  if (!device) return device.error();
  if (auto may = MayClaim(*device, command); !may) return may.error();
  auto endpoint = view.LoadEndpoint(origin.party, command.endpoint);
  if (!endpoint) return endpoint.error();
  if (!*endpoint) {
    return Error::Make(Code::kNotFound, "endpoint_unknown", "publish the endpoint first", "/endpoint");
  }

  domain::Bind(*device, origin.party, command.endpoint);
  domain::NoteStep(*device, "claimed", context.now);
  changes.history.push_back(domain::History(*device, origin.party, "claimed", context.now, origin.id));
  if (const auto* live = domain::LiveCertificate(*device)) {
    const wire::DeviceCertified certified{device->id, DeviceName(device->id, policy.zone), live->der,
                                          live->not_after};
    changes.notifications.push_back(domain::Notify(origin.party, certified, context, origin.id));
  }
  if (device->state == State::kPublished) {
    // What it was told when it was released may still be on its way.
    const auto waiting = jobs::Waiting::Of(device->id, view);
    if (!waiting) return waiting.error();
    jobs::EndSuperseded(*device, domain::Superseding::kPayloadReplaced, *waiting, changes);
    auto pushed = PushPayload(*device, **endpoint, at);
    if (!pushed) return pushed.error();
  }
  Put(*device, changes);
  wire::DeviceState state = StateOf(*device);
  state.pilot_form_absent =
      payload_push::PilotFormAbsent((*endpoint)->endpoint, DeviceName(device->id, policy.zone));
  return wire::Encode(state);
}

}  // namespace registry::lifecycle
