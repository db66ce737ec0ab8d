// simulators/euicc/p256.h: a P-256 key pair inside the card. There is no way to read the private part.
// Owns: an OpenSSL key. Threads: const methods from any thread.
// Errors: nullopt when the point is not on the curve or OpenSSL refuses. Spec: SEC 1 §2.3.3 (points), FIPS
// 186-4 §6.
#pragma once

#include <memory>
#include <optional>

#include "schemas/base/bytes.h"

namespace registry::sim {

class P256Key {
 public:
  static std::optional<P256Key> Generate();
  static bool IsPoint(const Bytes& point);  // uncompressed, on the curve, not infinity
  // Whether r || s is a signature of the digest by the key of that point.
  static bool Verifies(const Bytes& point, const Bytes& digest, const Bytes& raw);

  const Bytes& point() const { return point_; }  // uncompressed, 65 octets
  // r || s, 64 octets. Both halves start with a non-zero octet: the pilot's middleware makes non-minimal DER
  // of others.
  std::optional<Bytes> Sign(const Bytes& digest) const;
  std::optional<Bytes> Agree(const Bytes& peer_point) const;  // the shared x coordinate, 32 octets
  // A CSR for the key (RFC 2986), DER, self-signed with ECDSA and SHA-256; `subject` is a Name, DER.
  std::optional<Bytes> Request(const Bytes& subject) const;

 private:
  P256Key() = default;
  std::shared_ptr<void> key_;
  Bytes point_;
};

}  // namespace registry::sim
