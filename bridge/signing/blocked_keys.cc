#include "bridge/signing/blocked_keys.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace registry::signing {
namespace {

std::string WithoutCommentAndSpace(const std::string& line) {
  const std::string kept = line.substr(0, line.find('#'));
  const auto first = kept.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return kept.substr(first, kept.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

Result<BlockedKeys> BlockedKeys::Load(const std::string& file) {
  std::ifstream input(file);
  if (!input)
    return Error::Make(Code::kFailed, "blocked_keys_invalid",
                       file + ": cannot be read: " + std::strerror(errno));
  BlockedKeys keys;
  std::string line;
  for (std::size_t number = 1; std::getline(input, line); ++number) {
    const std::string text = WithoutCommentAndSpace(line);
    if (text.empty()) continue;
    const auto octets = FromHex(text);
    std::array<std::uint8_t, 32> digest{};
    if (!octets || octets->size() != digest.size()) {
      return Error::Make(Code::kFailed, "blocked_keys_invalid",
                         file + ":" + std::to_string(number) + ": not a SHA-256 in hex");
    }
    std::copy(octets->begin(), octets->end(), digest.begin());
    keys.digests_.push_back(digest);
  }
  // A list cut short by a failing disk must not read as a short list.
  if (input.bad()) return Error::Make(Code::kFailed, "blocked_keys_invalid", file + ": reading failed");
  std::sort(keys.digests_.begin(), keys.digests_.end());
  return keys;
}

bool BlockedKeys::Contains(const Bytes& spki_sha256) const {
  std::array<std::uint8_t, 32> digest{};
  if (spki_sha256.size() != digest.size()) return false;
  std::copy(spki_sha256.begin(), spki_sha256.end(), digest.begin());
  return std::binary_search(digests_.begin(), digests_.end(), digest);
}

}  // namespace registry::signing
