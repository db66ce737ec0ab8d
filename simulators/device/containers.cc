#include "simulators/device/containers.h"

#include <openssl/err.h>

#include <map>
#include <nlohmann/json.hpp>

namespace registry::sim {
namespace {

constexpr std::uint8_t kClient = 0x02, kAspCertificate = 0x03, kRoot = 0x06, kIssuing = 0x07,
                       kEndpoint = 0x08, kEndpointSignature = 0x09, kAspSignature = 0x0a;

using Files = std::map<std::uint8_t, const Bytes*>;

Error Refuse(std::uint8_t id, std::string_view why) {
  return Error::Make(Code::kFailed, "payload_container",
                     "container " + ToHex(Bytes{id}) + " " + std::string(why));
}

// ECDSA with SHA-256, DER.
bool Signed(const Bytes& content, const Bytes& signature, EVP_PKEY* key) {
  const std::unique_ptr<EVP_MD_CTX, Freeing<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  const bool good =
      context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), content.data(), content.size()) ==
          1;
  ERR_clear_error();
  return good;
}

// A bare host: the pilot's middleware builds ssl://<url>:<port> itself.
nlohmann::json EndpointJson(const wire::Endpoint& endpoint) {
  return {{"url", endpoint.fqdn}, {"port", endpoint.port}};
}

bool SaysEndpoint(const Bytes& content, const wire::Endpoint& endpoint) {
  return nlohmann::json::parse(content.begin(), content.end(), nullptr, false) == EndpointJson(endpoint);
}

// schemas/PAYLOAD.md, `pilotFormAbsent`. Worked out from the opened payload: who carries the files could leave them out.
bool CanBeWhole(const wire::RegistryPayload& payload) {
  return payload.endpoint && !payload.endpoint->trust.certificate.empty() &&
         payload.bootstrap.device_name.size() <= 64 && EndpointJson(*payload.endpoint).dump().size() <= 100;
}

// Every file that there must be, and no other.
Result<Files> Sort(const std::vector<wire::Container>& containers) {
  Files wanted{{kRoot, nullptr},     {kIssuing, nullptr},           {kAspCertificate, nullptr},
               {kEndpoint, nullptr}, {kEndpointSignature, nullptr}, {kAspSignature, nullptr},
               {kClient, nullptr}};
  for (const wire::Container& container : containers) {
    const auto found = wanted.find(container.id);
    if (found == wanted.end()) return Refuse(container.id, "does not belong here");
    if (std::exchange(found->second, &container.content) != nullptr)
      return Refuse(container.id, "is there twice");
  }
  for (const auto& [id, content] : wanted) {
    if (content == nullptr) return Refuse(id, "is missing");
  }
  if (containers.back().id != kClient) return Refuse(kClient, "is not the last");
  return wanted;
}

}  // namespace

Status CheckContainers(const std::vector<wire::Container>& containers, const wire::RegistryPayload& payload,
                       const RegistryTrust& trust) {
  if (!CanBeWhole(payload)) {
    if (containers.empty()) return Done{};
    return Refuse(containers.front().id, "is part of a form that cannot be whole");
  }
  const Bytes& asp_certificate = payload.endpoint->trust.certificate;
  const auto sorted = Sort(containers);
  if (!sorted) return sorted.error();
  const Files& files = *sorted;
  const std::pair<std::uint8_t, const Bytes*> equal[] = {{kClient, &payload.certificate},
                                                         {kRoot, &payload.bootstrap.root_certificate},
                                                         {kIssuing, &payload.bootstrap.issuing_certificate},
                                                         {kAspCertificate, &asp_certificate}};
  for (const auto& [id, content] : equal) {
    if (*files.at(id) != *content) return Refuse(id, "is not what the payload says");
  }
  if (!SaysEndpoint(*files.at(kEndpoint), *payload.endpoint))
    return Refuse(kEndpoint, "names another endpoint");
  if (!Signed(*files.at(kEndpoint), *files.at(kEndpointSignature), trust.issuing_key))
    return Refuse(kEndpointSignature, "is not the registry's signature of 08");
  if (!Signed(asp_certificate, *files.at(kAspSignature), trust.issuing_key))
    return Refuse(kAspSignature, "is not the registry's signature of 03");
  return Done{};
}

}  // namespace registry::sim
