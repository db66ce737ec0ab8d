// bridge/ingest/intake_seal.h: keeps what parties say out of the intake's files in clear: commands hold authorisation codes
// and private identifiers, and what a file has held can be read on its disk for long.
//   sealed := "\xffsealed1" salt[16] number:u64be ciphertext tag[16]      (AES-256-GCM, NIST SP 800-38D)
// The key of a run is HMAC-SHA-256 of the salt, which is random, under the intake's key, and the nonce is the number: no
// nonce is ever used twice with one key.
// Threads: any. Limits: 40 octets more than the payload.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schemas/base/bytes.h"

namespace registry::ingest {

class IntakeSeal {
 public:
  explicit IntakeSeal(Bytes key);
  std::string Seal(std::string_view payload);
  static bool IsSealed(std::string_view payload);
  // nullopt: of another key, or not what was sealed.
  std::optional<std::string> Open(std::string_view sealed) const;

 private:
  const Bytes key_, salt_, run_key_;
  std::atomic<std::uint64_t> number_{0};
};

}  // namespace registry::ingest
