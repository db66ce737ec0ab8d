// simulators/ota/cipher.h: the two algorithms of a packet. Pure functions, any thread.
// Errors: nullopt when the key is no AES key, the text no whole number of blocks, or OpenSSL refuses.
// Spec: ETSI TS 102 225 §5.1.2 (AES in CBC mode, the initial chaining value zero), §5.1.3.1 (AES in CMAC mode, NIST SP
//   800-38B, of which the first octets are taken).
#pragma once

#include <optional>

#include "schemas/base/bytes.h"

namespace registry::sim::ota {

inline constexpr std::size_t kBlock = 16;

std::optional<Bytes> Encipher(const Bytes& key, const Bytes& text);
std::optional<Bytes> Decipher(const Bytes& key, const Bytes& text);
std::optional<Bytes> Checksum(const Bytes& key, const Bytes& text, std::size_t octets);
bool SameOctets(const Bytes& one, const Bytes& other);  // in a time that says nothing of where they differ

}  // namespace registry::sim::ota
