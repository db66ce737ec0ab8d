// workers/payload_push/payload_push.h: composes the registry payload and its protection (design §5).
// CMS: SignedData (RFC 5652, by the registry's issuing key, SKI identifier, no embedded certificates, signed attributes)
// over AuthEnvelopedData (RFC 5083/5084/5753: ECDH-ES on P-256 with SHA-256 KDF, AES-128 key wrap, AES-128-GCM) to the
// device's key-agreement key. Content: schemas/messages/registry-payload.schema.json, canonical JSON.
// Beside it the pilot's containers (06, 07, 03, 08, 09, 0A, 0F, then 02) from the same content and under the same
// version, all or none: the pilot's middleware takes a part of them for the whole, and aborts half-way.
// Pure, any thread. Errors: 2400 payload_failed when OpenSSL refuses; 2005 trust_certificate_invalid,
//   2004 trust_certificate_too_large (container 03).
#pragma once

#include "workers/domain/decision.h"
#include "workers/domain/policy.h"

namespace registry::payload_push {

inline constexpr std::size_t kLegacyJsonMax = 100;
inline constexpr std::size_t kLegacyContainerMax =
    2040;  // the pilot reads a file in eight parts of 255 octets
// The file that says which files belong together; the pilot does not know it and does not read it.
inline constexpr std::uint8_t kGenerationMark = 0x0f;

wire::Bootstrap BootstrapOf(const domain::Policy& policy, const DeviceId& device);

// Why the pilot's containers cannot be whole, in the words of `pilotFormAbsent`; empty when they can be. trust_is_tlsa:
// there is no 03. host_too_long: 08, {"port":N,"url":"<fqdn>"}, would exceed kLegacyJsonMax. name_too_long: the device's
// certificate has no CN. Without a name, what can be said of the endpoint alone.
std::string PilotFormAbsent(const wire::Endpoint& endpoint, const std::string& device_name = {});

// Containers 08, 09, 0A, computed once per endpoint.publish; none where PilotFormAbsent.
// Signs octets an ASP chose: only after they have been seen to be what they are said to be (legacy.cc says why).
Status SignLegacy(domain::EndpointRecord& endpoint, const domain::Signer& signer);
// False for a record of an earlier version, whose 08 carried the URL.
bool SignedAsNow(const domain::EndpointRecord& endpoint);

// {"files":"<SHA-256, hexadecimal>","generation":N}. Hashed are the files in the order of their ids, each as id (1 octet),
// length (2 octets, big endian) and content. It is no signature: it tells a set that was written whole from a mixture.
Bytes GenerationMark(std::uint64_t generation, std::vector<wire::Container> files);
// The containers in the order to be written: the mark behind what it is over, and the client certificate (02) last, since
// the pilot takes its presence for "provisioned". `payload` names an endpoint whose trust is a certificate; `endpoint` holds
// the signatures of it.
std::vector<wire::Container> PilotForm(const wire::RegistryPayload& payload,
                                       const domain::EndpointRecord& endpoint);

// Raises the payload version of the device and makes the job kPayloadPush, with the action payload.push as its body, for
// the caller to send. The device must be certified, hold an agreement key, and have
// `endpoint` in its next binding or, without one, in its live one.
Result<domain::Job> Compose(domain::Device& device, const domain::EndpointRecord& endpoint,
                            const domain::Policy& policy, const domain::Context& context,
                            const domain::Signer& signer);
// The same of a payload that names no ASP: the device was released, and shall forget the one it had. It must be certified,
// hold an agreement key and have no live binding.
Result<domain::Job> ComposeForNobody(domain::Device& device, const domain::Policy& policy,
                                     const domain::Context& context, const domain::Signer& signer);

}  // namespace registry::payload_push
