// The pilot's containers 08, 09 and 0A, so that middleware already in the field can verify what it is given.
#include <nlohmann/json.hpp>

#include "workers/payload_push/payload_push.h"

namespace registry::payload_push {

Status SignLegacy(domain::EndpointRecord& endpoint, const domain::Signer& signer) {
  const nlohmann::json legacy = {{"url", endpoint.endpoint.url}, {"port", endpoint.endpoint.port}};
  const std::string json = legacy.dump();
  if (json.size() > kLegacyJsonMax) {
    return Error::Make(Code::kPolicy, "endpoint_json_too_long",
                       "container 08 holds at most 100 octets of JSON; the url is too long", "/endpoint/url");
  }
  // The pilot finds the end of the object by counting braces, also inside strings.
  if (endpoint.endpoint.url.find_first_of("{}") != std::string::npos) {
    return Error::Make(Code::kPolicy, "endpoint_json_too_long", "container 08 cannot hold a url with braces",
                       "/endpoint/url");
  }
  auto json_signature = signer.Sign(AsBytes(json));
  if (!json_signature) return json_signature.error();
  endpoint.legacy_json = AsBytes(json);
  endpoint.legacy_json_signature = std::move(*json_signature);
  endpoint.legacy_cert_signature.clear();
  if (endpoint.endpoint.trust.certificate.empty()) return Done{};
  auto certificate_signature = signer.Sign(endpoint.endpoint.trust.certificate);
  if (!certificate_signature) return certificate_signature.error();
  endpoint.legacy_cert_signature = std::move(*certificate_signature);
  return Done{};
}

}  // namespace registry::payload_push
