// The pilot's containers 08, 09 and 0A, so that middleware already in the field can verify what it is given.
//
// 09 and 0A are bare signatures by the key that also issues certificates, over octets an ASP chose. So these octets must
// never be able to pass for anything else this key signs (it signs SHA-256 of the octets, with no context in front):
//   08, JSON of our own serialisation, begins with 7b '{', which as a DER tag is [APPLICATION 27]: no other message;
//   03, of the form of a Certificate: SEQUENCE { SEQUENCE { [0] … }, SEQUENCE, BIT STRING }, where
//     a TBSCertificate has [0] first (RFC 5280 §4.1), a TBSCertList an INTEGER, or an AlgorithmIdentifier beginning
//     with an OID (§5.1), CMS signed attributes are a SET (RFC 5652 §5.4), and the ContentInfo of a payload, for a
//     verifier that takes SignedData without signed attributes, begins with an OID (RFC 5652 §3).
#include <nlohmann/json.hpp>

#include "workers/crypto/certificate.h"
#include "workers/payload_push/payload_push.h"

namespace registry::payload_push {
namespace {

// The pilot takes the client's name from the subject's CN, which a certificate has up to RFC 5280's ub-common-name
// (csr_sign/issuer.cc).
constexpr std::size_t kCommonNameMax = 64;

// A bare host: the pilot builds ssl://<url>:<port> itself. A host name has no braces, by which the pilot finds the end.
std::string PilotJson(const wire::Endpoint& endpoint) {
  return nlohmann::json{{"url", endpoint.fqdn}, {"port", endpoint.port}}.dump();
}

Status CheckCertificate(const Bytes& certificate) {
  if (certificate.size() > kLegacyContainerMax) {
    return Error::Make(Code::kRange, "trust_certificate_too_large",
                       "container 03 holds at most 2040 octets of certificate",
                       "/endpoint/trust/certificate");
  }
  if (crypto::HasCertificateForm(certificate)) return Done{};
  return Error::Make(Code::kValueSyntax, "trust_certificate_invalid",
                     "not one X.509 certificate of version 3 in DER, and nothing else",
                     "/endpoint/trust/certificate");
}

}  // namespace

std::string PilotFormAbsent(const wire::Endpoint& endpoint, const std::string& device_name) {
  if (endpoint.trust.certificate.empty()) return "trust_is_tlsa";
  if (PilotJson(endpoint).size() > kLegacyJsonMax) return "host_too_long";
  return device_name.size() > kCommonNameMax ? "name_too_long" : "";
}

Status SignLegacy(domain::EndpointRecord& endpoint, const domain::Signer& signer) {
  endpoint.legacy_json.clear();
  endpoint.legacy_json_signature.clear();
  endpoint.legacy_cert_signature.clear();
  const Bytes& certificate = endpoint.endpoint.trust.certificate;
  // Everything is checked before anything is signed.
  if (!certificate.empty()) {
    if (auto sound = CheckCertificate(certificate); !sound) return sound;
  }
  if (!PilotFormAbsent(endpoint.endpoint).empty()) return Done{};
  Bytes json = AsBytes(PilotJson(endpoint.endpoint));
  auto json_signature = signer.Sign(json);
  if (!json_signature) return json_signature.error();
  auto certificate_signature = signer.Sign(certificate);
  if (!certificate_signature) return certificate_signature.error();
  endpoint.legacy_json = std::move(json);
  endpoint.legacy_json_signature = std::move(*json_signature);
  endpoint.legacy_cert_signature = std::move(*certificate_signature);
  return Done{};
}

bool SignedAsNow(const domain::EndpointRecord& endpoint) {
  return AsText(endpoint.legacy_json) == PilotJson(endpoint.endpoint);
}

}  // namespace registry::payload_push
