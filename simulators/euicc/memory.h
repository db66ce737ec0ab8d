// simulators/euicc/memory.h: what survives a power cycle of the card: key slots and files, and how much fits.
// Plain data, guarded by nothing: a card does one thing at a time. Slots are laid out by the issuer (GSMA
// IoT.05 lets no device create one): 01 and 02 signing pairs, so that one works while the other is made; 0B static
// key-agreement pair, 0C the slot for a peer's public key.
#pragma once

#include <algorithm>
#include <map>
#include <optional>

#include "simulators/euicc/p256.h"

namespace registry::sim {

inline constexpr std::uint8_t kSigningKey = 0x01;
inline constexpr std::uint8_t kOtherSigningKey = 0x02;
inline constexpr std::uint8_t kAgreementKey = 0x0b;
inline constexpr std::uint8_t kPeerKey = 0x0c;

// GSMA IoT.05, tags 61 and 90: what a key may be used for.
inline constexpr std::uint8_t kMaySign = 0x01;
inline constexpr std::uint8_t kMayGenerate = 0x02;
inline constexpr std::uint8_t kMayAgree = 0x04;

struct KeySlot {
  std::uint8_t functions = 0;
  std::optional<P256Key> pair;  // private slots
  Bytes peer_point;             // public-only slots
};

// Ids are opaque octet strings. Not vector's own order: GCC 12 at -O2 takes its memcmp for one beyond every bound.
struct IdOrder {
  bool operator()(const Bytes& left, const Bytes& right) const {
    return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end());
  }
};

struct CardMemory {
  std::map<Bytes, KeySlot, IdOrder> keys;
  std::map<Bytes, Bytes, IdOrder> files;
  std::size_t file_octets_max = 16 * 1024;
  std::size_t files_max = 255;  // GET DATA counts them in one octet

  std::size_t FileOctets() const {
    std::size_t sum = 0;
    for (const auto& [id, content] : files) sum += content.size();
    return sum;
  }
  bool Fits() const { return FileOctets() <= file_octets_max && files.size() <= files_max; }
};

}  // namespace registry::sim
