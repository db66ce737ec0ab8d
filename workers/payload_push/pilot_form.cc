// The pilot's files of one payload, out of the payload's own content, so that the two forms cannot say different things.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "workers/crypto/digest.h"
#include "workers/payload_push/payload_push.h"

namespace registry::payload_push {
namespace {

// Where one file ends and the next begins is part of what is hashed.
void AppendFile(Bytes& octets, const wire::Container& file) {
  octets.push_back(file.id);
  octets.push_back(static_cast<std::uint8_t>(file.content.size() >> 8));
  octets.push_back(static_cast<std::uint8_t>(file.content.size()));
  octets.insert(octets.end(), file.content.begin(), file.content.end());
}

}  // namespace

Bytes GenerationMark(std::uint64_t generation, std::vector<wire::Container> files) {
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  Bytes octets;
  for (const wire::Container& file : files) AppendFile(octets, file);
  const std::string digest = ToHex(crypto::ToBytes(crypto::Sha256({octets})));
  return AsBytes(nlohmann::json{{"files", digest}, {"generation", generation}}.dump());
}

std::vector<wire::Container> PilotForm(const wire::RegistryPayload& payload,
                                       const domain::EndpointRecord& endpoint) {
  std::vector<wire::Container> files = {{0x06, payload.bootstrap.root_certificate},
                                        {0x07, payload.bootstrap.issuing_certificate},
                                        {0x03, payload.endpoint->trust.certificate},
                                        {0x08, endpoint.legacy_json},
                                        {0x09, endpoint.legacy_json_signature},
                                        {0x0a, endpoint.legacy_cert_signature},
                                        {0x02, payload.certificate}};
  Bytes mark = GenerationMark(payload.version, files);
  files.insert(files.end() - 1, {kGenerationMark, std::move(mark)});
  return files;
}

}  // namespace registry::payload_push
