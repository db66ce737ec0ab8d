// workers/payload_push/payload_push.h: composes the registry payload and its protection (design §5).
// CMS: SignedData (RFC 5652, by the registry's issuing key, SKI identifier, no embedded certificates, signed attributes)
// over AuthEnvelopedData (RFC 5083/5084/5753: ECDH-ES on P-256 with SHA-256 KDF, AES-128 key wrap, AES-128-GCM) to the
// device's key-agreement key. Content: schemas/messages/registry-payload.schema.json, canonical JSON.
// Beside it the pilot's containers (06, 07, 03, 08, 09, 0A, then 02) from the same content.
// Pure, any thread. Errors: 2400 payload_failed when OpenSSL refuses; 2306 endpoint_json_too_long (container 08,
//   100 octets); 2005 trust_certificate_invalid, 2004 trust_certificate_too_large (container 03).
#pragma once

#include <chrono>

#include "workers/domain/decision.h"

namespace registry::payload_push {

inline constexpr std::size_t kLegacyJsonMax = 100;
inline constexpr std::size_t kLegacyContainerMax =
    2040;  // the pilot reads a file in eight parts of 255 octets

struct Profile {
  std::string zone;
  wire::Bootstrap bootstrap;                  // device_name is filled per device
  std::chrono::seconds validity{30 * 86400};  // of a payload
  std::chrono::seconds first_retry{30};       // doubles with every attempt
  std::uint32_t attempts_max = 6;
};

wire::Bootstrap BootstrapOf(const Profile& profile, const DeviceId& device);

// Containers 08, 09, 0A, computed once per endpoint.publish. The JSON {"port":N,"url":"…"} must fit kLegacyJsonMax.
// Signs octets an ASP chose: only after they have been seen to be what they are said to be (legacy.cc says why).
Status SignLegacy(domain::EndpointRecord& endpoint, const domain::Signer& signer);

// Raises device.payload_version, adds to `changes` the job kPayloadPush and the action payload.push to the sponsor.
// The device must be certified, hold an agreement key and be claimed for `endpoint`.
Status Compose(domain::Device& device, const domain::EndpointRecord& endpoint, const Profile& profile,
               const domain::Context& context, const domain::Signer& signer, domain::Changeset& changes);

}  // namespace registry::payload_push
