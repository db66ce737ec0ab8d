// simulators/euicc/crypto.h: what the applet computes without a key pair: digests, also taken up half-way, message
// authentication and key derivation. Pure functions, any thread.
// Errors: nullopt when a value has a size the function does not take, or OpenSSL refuses.
// Spec: FIPS 180-4, RFC 5869 §2.2, RFC 5246 §5, RFC 4279 §2, NIST SP 800-38B.
#pragma once

#include <cstdint>
#include <optional>

#include "schemas/base/bytes.h"

namespace registry::sim {

// GSMA IoT.05, tag 91.
enum class Hash : std::uint16_t { kSha256 = 0x0001, kSha384 = 0x0002, kSha512 = 0x0004 };
std::optional<Hash> HashOf(const Bytes& tag91);
std::size_t DigestSize(Hash hash);

Bytes Digest(Hash hash, const Bytes& text);
// Of a text of which the first `hashed` octets, whole blocks, have led to `state`, and `rest` is to come.
std::optional<Bytes> FinishDigest(Hash hash, const Bytes& state, std::uint32_t hashed, const Bytes& rest);

std::optional<Bytes> HkdfExtract(Hash hash, const Bytes& salt, const Bytes& key_material);
std::optional<Bytes> Tls12Prf(const Bytes& secret, const Bytes& label_and_seed, std::size_t size);  // SHA-256
// The premaster secret of a shared secret: `other` is what was agreed besides, or empty for as many zeros (RFC 4279 §2).
Bytes PskPremaster(const Bytes& other, const Bytes& psk);
std::optional<Bytes> AesCmac(const Bytes& key, const Bytes& text);

}  // namespace registry::sim
