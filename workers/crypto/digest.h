// workers/crypto/digest.h: SHA-256 and the key identifiers made with it, and its longer kin. Any thread; contexts are
// per thread and reused, since fetching the algorithm costs more than hashing a certificate.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "schemas/base/bytes.h"
#include "workers/crypto/der_reader.h"

namespace registry::crypto {

using Sha256Digest = std::array<std::uint8_t, 32>;

// Over the parts one after the other.
Sha256Digest Sha256(std::initializer_list<OctetView> parts);
enum class Sha2 : std::uint8_t { k256, k384, k512 };  // FIPS 180-4
Bytes Hash(Sha2 algorithm, std::initializer_list<OctetView> parts);
// RFC 2104, under a key of any size.
Bytes HmacSha256(OctetView key, OctetView text);
// Of a text, as the octets a record stores.
Bytes Sha256OfText(std::string_view text);
// Whether two digests of secrets are the same, in a time that says nothing of where they differ.
bool SameSecret(OctetView a, OctetView b);
inline Bytes ToBytes(const Sha256Digest& digest) { return Bytes(digest.begin(), digest.end()); }

// SubjectKeyIdentifier by RFC 7093 §2 method 1: the leftmost 160 bits of SHA-256 over the public key's BIT
// STRING value.
Bytes KeyIdentifier(OctetView point);

}  // namespace registry::crypto
