// workers/crypto/p256.h: what the registry does with public keys on P-256: look at the point, verify, agree.
// Points are uncompressed, 04 || X || Y, 65 octets (RFC 5480 §2.2), and made so where they come in. Any
// thread: contexts are per thread and reused, since parsing a key through OpenSSL's decoders costs more than verifying with
// it. Errors: false or nullopt.
#pragma once

#include <array>
#include <optional>

#include "schemas/base/bytes.h"
#include "workers/crypto/der_reader.h"
#include "workers/crypto/digest.h"

namespace registry::crypto {

inline constexpr std::size_t kPointSize = 65;

// Full public key validation for P-256 (SP 800-56A §5.6.2.3.3): coordinates below p and on the curve, not
// infinity. The cofactor is 1, so there is no other subgroup to fall into.
bool IsOnP256(OctetView point);
// The same validation of a point in either form of RFC 5480 §2.2, and the point itself; nullopt for the hybrid form.
std::optional<Bytes> UncompressedP256(OctetView point);

// ECDSA over a digest, of which the leftmost 256 bits count (FIPS 186-4 §6.4); signature is a DER Ecdsa-Sig-Value
// (RFC 3279 §2.2.3).
bool VerifyP256(OctetView point, OctetView digest, OctetView signature);

// Ephemeral-static ECDH (RFC 5753 §3.1.1). The ephemeral private key exists inside the call only.
struct Agreement {
  Bytes ephemeral;                        // public point
  std::array<std::uint8_t, 32> secret{};  // Z; the caller wipes it
};
std::optional<Agreement> AgreeP256(OctetView point);

// DER SubjectPublicKeyInfo around a point (RFC 5480 §2): id-ecPublicKey, secp256r1.
Bytes P256PublicKeyInfo(OctetView point);
// SHA-256 of that: a key's identity in TLSA 3 1 1, in the list of blocked keys and among the ledger's unique values.
Bytes P256KeyDigest(OctetView point);

}  // namespace registry::crypto
