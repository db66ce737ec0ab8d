#include "workers/crypto/digest.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/jobs.h"
#include "workers/lifecycle/lifecycle.h"

namespace registry::lifecycle {
namespace {

using domain::State;

Status MayClaim(const domain::Device& device, const wire::DeviceClaim& command) {
  if (device.state == State::kDeactivated) {
    return Error::Make(Code::kStatusProhibits, "state_prohibits",
                       "device is deactivated: claim refused, a deactivated device is reactivated first",
                       "/device");
  }
  if (device.claimer) {
    return Error::Make(Code::kExists, "device_claimed",
                       "the device is claimed; its authorisation code is used up", "/device");
  }
  if (device.authorisation_hash.empty() ||
      device.authorisation_hash != crypto::Sha256OfText(command.authorisation_code)) {
    return Error::Make(Code::kBadAuthorisationCode, "authorisation_code_wrong",
                       "the authorisation code is not valid", "/authorisationCode");
  }
  return Done{};
}

}  // namespace

Result<Decision> Decide(const wire::DeviceClaim& command, const Origin& origin, const View& view,
                        const Context& context, const Policy& policy, const domain::Signer& signer) {
  auto device = FindLive(command.device, view);
  if (!device) return device.error();
  if (auto may = MayClaim(*device, command); !may) return may.error();
  auto endpoint = view.LoadEndpoint(origin.party, command.endpoint);
  if (!endpoint) return endpoint.error();
  if (!*endpoint) {
    return Error::Make(Code::kNotFound, "endpoint_unknown", "publish the endpoint first", "/endpoint");
  }

  Decision decision;
  device->claimer = origin.party;
  device->endpoint = command.endpoint;
  device->authorisation_hash.clear();
  domain::Mark(*device, "claimed", context.now);
  decision.changes.history.push_back(
      domain::History(*device, origin.party, "claimed", context.now, origin.id));
  if (device->certificate) {
    const wire::DeviceCertified certified{device->id, DeviceName(device->id, policy.payload.zone),
                                          device->certificate->der, device->certificate->not_after};
    decision.changes.notifications.push_back(
        domain::Notify(origin.party, "device.certified", certified, context, origin.id));
  }
  if (device->state == State::kPublished) {
    auto composed =
        payload_push::Compose(*device, **endpoint, policy.payload, context, signer, decision.changes);
    if (!composed) return composed.error();
  }
  Put(*device, decision.changes);
  decision.reply = wire::Encode(wire::DeviceState{device->id, std::string(domain::StateName(device->state))});
  return decision;
}

}  // namespace registry::lifecycle
