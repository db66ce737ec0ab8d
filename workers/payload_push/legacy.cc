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

Status CheckJson(const wire::Endpoint& endpoint, const std::string& json) {
  if (json.size() > kLegacyJsonMax) {
    return Error::Make(Code::kPolicy, "endpoint_json_too_long",
                       "container 08 holds at most 100 octets of JSON; the url is too long", "/endpoint/url");
  }
  // The pilot finds the end of the object by counting braces, also inside strings.
  if (endpoint.url.find_first_of("{}") != std::string::npos) {
    return Error::Make(Code::kPolicy, "endpoint_json_too_long", "container 08 cannot hold a url with braces",
                       "/endpoint/url");
  }
  return Done{};
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

Status SignLegacy(domain::EndpointRecord& endpoint, const domain::Signer& signer) {
  const nlohmann::json legacy = {{"url", endpoint.endpoint.url}, {"port", endpoint.endpoint.port}};
  const std::string json = legacy.dump();
  const Bytes& certificate = endpoint.endpoint.trust.certificate;
  if (auto sound = CheckJson(endpoint.endpoint, json); !sound) return sound;
  // Everything is checked before anything is signed.
  if (!certificate.empty()) {
    if (auto sound = CheckCertificate(certificate); !sound) return sound;
  }
  auto json_signature = signer.Sign(AsBytes(json));
  if (!json_signature) return json_signature.error();
  endpoint.legacy_json = AsBytes(json);
  endpoint.legacy_json_signature = std::move(*json_signature);
  endpoint.legacy_cert_signature.clear();
  if (certificate.empty()) return Done{};
  auto certificate_signature = signer.Sign(certificate);
  if (!certificate_signature) return certificate_signature.error();
  endpoint.legacy_cert_signature = std::move(*certificate_signature);
  return Done{};
}

}  // namespace registry::payload_push
