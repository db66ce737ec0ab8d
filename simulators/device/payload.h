// simulators/device/payload.h: opens a registry payload: signature of the registry, decryption with the
// card's agreement key, and the questions a device asks of what it finds.
// Pure but for the card. Threads: as the card. Errors, whose symbols go back to the registry as the reason:
//   signature_invalid, payload_undecryptable, payload_malformed, payload_wrong_device, payload_replayed,
//   payload_expired, payload_certificate (not issued by the registry, not for this card's key, or it or a CA above it
//   not in time).
// Spec: RFC 5652 §5 (SignedData), RFC 5083 (AuthEnvelopedData), RFC 5753 §3.1 (ECDH-ES recipients).
#pragma once

#include "schemas/wire/messages.h"
#include "simulators/device/card_key.h"
#include "simulators/device/trust.h"

namespace registry::sim {

struct PayloadExpectation {
  std::string device_name;
  std::uint64_t last_version = 0;    // a payload must be newer
  Bytes signing_point;               // public part of the card's signing key
  Bytes installed;                   // certificate already checked with CheckCertificate, empty when none
  X509* installed_parsed = nullptr;  // the same, borrowed
  UtcTime now;
};

Result<wire::RegistryPayload> OpenPayload(const Bytes& cms, const RegistryTrust& trust,
                                          const CardKey& agreement, const PayloadExpectation& expected);
// The issuing certificate that the content names, proved by nothing yet: a registry that has changed its issuing CA signs
// with one that the device has not seen. Errors as of OpenPayload.
Result<Bytes> IssuingNamedIn(const Bytes& cms, const CardKey& agreement);
// What an ASP has sealed to the certificate of this key: base64 of CMS AuthEnvelopedData. Error
// wifi_undecryptable: it is no such thing, or for another key.
Result<std::string> OpenSealed(const std::string& sealed, const CardKey& certified);
// Issued by the registry for this key and name.
Status CheckCertificate(X509* certificate, const CertificateView& view, const RegistryTrust& trust,
                        const Bytes& signing_point, const std::string& device_name);
// The certificate and both CAs above it are in time (RFC 5280 §6.1.3 (a) (2)).
Status CheckDates(X509* certificate, const RegistryTrust& trust, UtcTime now);

}  // namespace registry::sim
