#include "workers/domain/compose.h"

#include <set>

#include "workers/crypto/issuer.h"
#include "workers/crypto/p256.h"
#include "workers/domain/device_steps.h"
#include "workers/domain/renewal.h"
#include "workers/domain/several_signers.h"
#include "workers/domain/standing.h"
#include "workers/jobs/jobs.h"
#include "workers/payload_push/cms.h"
#include "workers/payload_push/payload_push.h"

namespace registry::payload_push {
namespace {

using domain::Context;
using domain::Credential;
using domain::Device;
using domain::EndpointRecord;

Error Unready(std::string_view why) { return Error::Make(Code::kFailed, "payload_failed", why); }

// The key-agreement key of the applet that holds the certificate's key.
const Bytes& KeyOf(const Device& device, const Credential& carried) {
  if (!carried.agreement_key.empty()) return carried.agreement_key;
  const domain::Profile* const profile = domain::ProfileOf(device, carried.profile);
  return profile != nullptr ? profile->agreement_key : domain::AgreementKey(device);
}

Status CheckReady(const Device& device, const Credential* carried) {
  if (carried == nullptr) return Unready("the device has no certificate");
  if (KeyOf(device, *carried).empty()) return Unready("the device has no key-agreement key");
  return Done{};
}

Status CheckBound(const Device& device, const EndpointRecord& endpoint) {
  const domain::Binding* const told = domain::ToBeTold(device);
  if (told == nullptr || told->asp != endpoint.asp || told->endpoint != endpoint.endpoint.name) {
    return Unready("the device is not claimed for this endpoint");
  }
  return Done{};
}

// Whether 09 verifies with the issuing certificate that is container 07: the endpoint may have been published under a
// former CA. Endpoints are few and their devices many, so what has verified once is known by its digest.
bool SignedBy(const domain::Signer& signer, const EndpointRecord& endpoint) {
  constexpr std::size_t kKnownMax = 1024;
  thread_local std::set<crypto::Sha256Digest> known;
  const auto digest =
      crypto::Sha256({signer.certificate(), endpoint.legacy_json, endpoint.legacy_json_signature});
  if (known.contains(digest)) return true;
  const auto issuer = crypto::ReadIssuer(signer.certificate());
  const bool verified =
      issuer && crypto::VerifyP256(issuer->public_key, crypto::Sha256({endpoint.legacy_json}),
                                   endpoint.legacy_json_signature);
  if (known.size() >= kKnownMax) known.clear();
  if (verified) known.insert(digest);
  return verified;
}

// nullptr: for no ASP. The issuing certificate is that of the device's own certificate, whose key signs the payload.
wire::RegistryPayload Content(const Device& device, const Credential& carried, const EndpointRecord* endpoint,
                              const domain::Policy& policy, const Context& context,
                              const domain::Signer& by) {
  wire::RegistryPayload payload;
  payload.version = domain::PayloadVersion(device);
  payload.issued = context.now;
  payload.expires = context.now + policy.payload.validity;
  payload.bootstrap = BootstrapOf(policy, device.id);
  payload.bootstrap.issuing_certificate = by.certificate();
  payload.certificate = carried.certificate.der;
  if (endpoint != nullptr) {
    payload.asp = endpoint->asp;
    payload.endpoint = endpoint->endpoint;
    // Sealed for this device by the ASP that the payload names.
    const domain::Binding* const told = domain::ToBeTold(device);
    if (told != nullptr && told->wifi) payload.endpoint->wifi = *told->wifi;
  }
  return payload;
}

// Of the same content as the CMS, and so of the same version.
Status AddPilotForm(const wire::RegistryPayload& payload, const EndpointRecord* bound,
                    const domain::Signer& signer, wire::PayloadPush& action) {
  if (bound == nullptr) {
    action.pilot_form_absent = "released";
    return Done{};
  }
  EndpointRecord endpoint = *bound;
  action.pilot_form_absent = PilotFormAbsent(endpoint.endpoint, payload.bootstrap.device_name);
  if (!action.pilot_form_absent.empty()) return Done{};
  if (!SignedAsNow(endpoint) || !SignedBy(signer, endpoint)) {
    if (auto again = SignLegacy(endpoint, signer); !again) return again;
  }
  action.containers = PilotForm(payload, endpoint);
  return Done{};
}

domain::Job JobOf(const Device& device, const Credential& carried, wire::PayloadPush action,
                  const Context& context) {
  domain::Job job = jobs::New(domain::JobKind::kPayloadPush, device, context);
  job.version = domain::PayloadVersion(device);
  job.profile = carried.profile;
  action.job = job.id;
  action.device = device.id;
  action.deadline = job.due;
  action.profile = job.profile;
  action.version = domain::PayloadVersion(device);
  job.body = wire::JsonText(wire::Encode(action));
  return job;
}

}  // namespace

wire::Bootstrap BootstrapOf(const domain::Policy& policy, const DeviceId& device) {
  wire::Bootstrap bootstrap = policy.payload.bootstrap;
  bootstrap.device_name = DeviceName(device, policy.zone);
  return bootstrap;
}

namespace {

Result<domain::Job> ComposeFor(Device& device, const EndpointRecord* endpoint, const domain::Policy& policy,
                               const Context& context, const domain::Signer& signer) {
  const Credential* const chosen = domain::ToBeCarried(device, policy.renewal, context.now);
  if (auto ready = CheckReady(device, chosen); !ready) return ready.error();
  const Credential carried = *chosen;
  domain::NoteCarried(device, domain::ComposeNext(device), carried);
  const domain::Signer& by = domain::SignerOf(signer, carried.certificate.der);
  const wire::RegistryPayload payload = Content(device, carried, endpoint, policy, context, by);
  const auto sealed = Encrypt(AsBytes(wire::JsonText(wire::Encode(payload))), KeyOf(device, carried));
  if (!sealed) return sealed.error();
  wire::PayloadPush action;
  auto cms = SignContent(*sealed, by, context.now);
  if (!cms) return cms.error();
  action.cms = std::move(*cms);
  if (auto added = AddPilotForm(payload, endpoint, by, action); !added) return added.error();
  domain::NoteStep(device, wire::PayloadPush::kName, context.now);
  return JobOf(device, carried, std::move(action), context);
}

}  // namespace

Result<domain::Job> Compose(Device& device, const EndpointRecord& endpoint, const domain::Policy& policy,
                            const Context& context, const domain::Signer& signer) {
  if (auto bound = CheckBound(device, endpoint); !bound) return bound.error();
  return ComposeFor(device, &endpoint, policy, context, signer);
}

Result<domain::Job> ComposeForNobody(Device& device, const domain::Policy& policy, const Context& context,
                                     const domain::Signer& signer) {
  if (domain::LiveBinding(device) != nullptr) return Unready("the device is claimed");
  return ComposeFor(device, nullptr, policy, context, signer);
}

}  // namespace registry::payload_push
