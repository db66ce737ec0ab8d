#include "simulators/pilot/pilot_files.h"

#include <openssl/sha.h>

#include <nlohmann/json.hpp>

namespace registry::sim {
namespace {

CardSet Half(std::uint64_t generation, std::string why) {
  return {Written::kHalf, generation, std::move(why)};
}

std::string Named(std::uint8_t id) { return ToHex(Bytes{id}); }

}  // namespace

std::string_view WordOf(Written written) {
  switch (written) {
    case Written::kNone:
      return "none";
    case Written::kWhole:
      return "whole";
    default:
      return "half_written";
  }
}

std::string DigestOf(const PilotFiles& files) {
  Bytes octets;
  for (const auto& [id, content] : files) {
    if (id == pilot::kMark) continue;
    octets.push_back(id);
    octets.push_back(static_cast<std::uint8_t>(content.size() >> 8));
    octets.push_back(static_cast<std::uint8_t>(content.size()));
    octets.insert(octets.end(), content.begin(), content.end());
  }
  Bytes digest(SHA256_DIGEST_LENGTH);
  SHA256(octets.data(), octets.size(), digest.data());
  return ToHex(digest);
}

CardSet Judge(const PilotFiles& files) {
  PilotFiles ours;
  for (const std::uint8_t id : pilot::kAll) {
    if (const auto found = files.find(id); found != files.end()) ours.insert(*found);
  }
  if (ours.empty()) return {};
  const auto mark = ours.find(pilot::kMark);
  if (mark == ours.end()) return Half(0, Named(pilot::kMark) + " is missing");
  const auto said = nlohmann::json::parse(mark->second.begin(), mark->second.end(), nullptr, false);
  const bool sound = said.is_object() && said.size() == 2 && said.contains("files") &&
                     said["files"].is_string() && said.contains("generation") &&
                     said["generation"].is_number_unsigned();
  if (!sound) return Half(0, Named(pilot::kMark) + " is no generation mark");
  const auto generation = said["generation"].get<std::uint64_t>();
  for (const std::uint8_t id : pilot::kAll) {
    if (!ours.contains(id)) return Half(generation, Named(id) + " is missing");
  }
  if (DigestOf(ours) != said["files"].get<std::string>())
    return Half(generation, "the files are not those of the mark");
  return {Written::kWhole, generation, {}};
}

}  // namespace registry::sim
