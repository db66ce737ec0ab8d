// bridge/signing/blocked_keys.h: keys that must never be certified (weak, leaked, test keys), from a text
// file: one SHA-256 of a DER SubjectPublicKeyInfo per line in hex, '#' starts a comment, empty lines are
// skipped. Immutable after Load, any thread. Errors (2400): blocked_keys_invalid, naming file and line.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "schemas/base/bytes.h"
#include "schemas/base/result.h"

namespace registry::signing {

class BlockedKeys {
 public:
  static Result<BlockedKeys> Load(const std::string& file);
  bool Contains(const Bytes& spki_sha256) const;  // O(log n)
  std::size_t size() const { return digests_.size(); }

 private:
  std::vector<std::array<std::uint8_t, 32>> digests_;  // sorted
};

}  // namespace registry::signing
