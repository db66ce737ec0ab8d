// simulators/euicc/tags.h: what GSMA IoT.05 calls the objects of a card, what they may be used for, and how many there may
// be of what. Values only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace registry::sim {

inline constexpr std::uint8_t kFileId = 0x83, kPrivateKeyId = 0x84, kPublicKeyId = 0x85, kSecretId = 0x86;
inline constexpr std::uint8_t kFileLabel = 0x73, kPrivateKeyLabel = 0x74, kPublicKeyLabel = 0x75,
                              kSecretLabel = 0x76;
inline constexpr std::uint8_t kAccess = 0x60, kState = 0x4a, kType = 0x4b, kUsage = 0x4e, kFunctions = 0x61;
inline constexpr std::uint8_t kFileSize = 0x20, kFileUsage = 0x21;
inline constexpr std::uint8_t kSignatureMode = 0xa1, kHashFunction = 0x91, kSignatureAlgorithm = 0x92;
inline constexpr std::uint8_t kPublicKeyData = 0x34, kSignature = 0x33;

// Tag 92: one bit each.
inline constexpr std::uint8_t kEcdsa = 0x04, kAesCmac = 0x08;

inline constexpr std::uint8_t kSessionsMax = 8;
inline constexpr std::size_t kIdMax = 20;       // octets of an id
inline constexpr std::size_t kLabelMax = 60;    // octets of a label
inline constexpr std::size_t kAnswerMax = 255;  // octets of a short answer that every client's buffer takes

}  // namespace registry::sim
