#include "simulators/device/containers.h"

#include <openssl/err.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "simulators/pilot/pilot_files.h"

namespace registry::sim {
namespace {

using namespace pilot;

using Files = PilotFiles;

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

// Every file that there must be, and no other; the mark behind what it is over, and 02 behind all.
Result<Files> Sort(const std::vector<wire::Container>& containers) {
  Files sorted;
  for (const wire::Container& container : containers) {
    if (std::find(kAll.begin(), kAll.end(), container.id) == kAll.end())
      return Refuse(container.id, "does not belong here");
    if (!sorted.emplace(container.id, container.content).second)
      return Refuse(container.id, "is there twice");
  }
  for (const std::uint8_t id : kAll) {
    if (!sorted.contains(id)) return Refuse(id, "is missing");
  }
  if (containers.back().id != kClient) return Refuse(kClient, "is not the last");
  if (containers[containers.size() - 2].id != kMark) return Refuse(kMark, "is not behind what it is over");
  return sorted;
}

Status CheckMark(const Files& files, std::uint64_t version) {
  const CardSet set = Judge(files);
  if (set.written == Written::kWhole && set.generation == version) return Done{};
  return Refuse(kMark, "is not of these files and this payload");
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
    if (files.at(id) != *content) return Refuse(id, "is not what the payload says");
  }
  if (!SaysEndpoint(files.at(kEndpoint), *payload.endpoint))
    return Refuse(kEndpoint, "names another endpoint");
  if (!Signed(files.at(kEndpoint), files.at(kEndpointSignature), trust.issuing_key))
    return Refuse(kEndpointSignature, "is not the registry's signature of 08");
  if (!Signed(asp_certificate, files.at(kAspSignature), trust.issuing_key))
    return Refuse(kAspSignature, "is not the registry's signature of 03");
  return CheckMark(files, payload.version);
}

}  // namespace registry::sim
