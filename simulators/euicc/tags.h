// simulators/euicc/tags.h: what GSMA IoT.05 calls the objects of a card, and how many there may be of what. Values only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace registry::sim {

inline constexpr std::uint8_t kFileId = 0x83, kPrivateKeyId = 0x84, kPublicKeyId = 0x85;
inline constexpr std::uint8_t kSessionsMax = 8;
inline constexpr std::size_t kIdMax = 20;  // octets of an id

}  // namespace registry::sim
