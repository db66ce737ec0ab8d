// simulators/euicc/memory.h: what survives a power cycle of the card: key slots, secrets and files, and how much fits.
// Plain data, guarded by nothing: a card does one thing at a time. Objects are laid out by the issuer (layout.h, and ota.h
// later on); GSMA IoT.05 lets no device create one.
// Access (tag 60) and state (tag 4A) are the issuer's as well: an object that may not be read, or is not active, answers
// 6985 to whoever reads or uses it.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "simulators/euicc/p256.h"

namespace registry::sim {

inline constexpr std::uint8_t kSigningKey = 0x01;
inline constexpr std::uint8_t kOtherSigningKey = 0x02;
inline constexpr std::uint8_t kAgreementKey = 0x0b;
inline constexpr std::uint8_t kPeerKey = 0x0c;

// GSMA IoT.05, tags 61 and 90: what a key may be used for.
inline constexpr std::uint8_t kMaySign = 0x01;  // or verify, with a public key
inline constexpr std::uint8_t kMayGenerate = 0x02;
inline constexpr std::uint8_t kMayAgree = 0x04;
inline constexpr std::uint8_t kMayDerive = 0x08;

// GSMA IoT.05, tag 4B, of secrets. AES is Thales's extension, and no source gives a code for it: the one client that knows
// AES keys, Thales's PKCS#11 module, takes a secret for one whose type is not A0 (HMAC) and whose tag 92 is 08 (AES-CMAC).
// So any other code would do as well.
inline constexpr std::uint8_t kHmacSecret = 0xa0, kAesSecret = 0xb0;

// What every object has besides its id.
struct ObjectHead {
  std::string label;  // empty: none
  bool readable = true;
  bool active = true;
  // Another one whenever the issuer touches the object: a session begun before is told so (6989).
  std::uint32_t touched = 0;
};

struct KeySlot {
  std::uint8_t functions = 0;
  std::optional<P256Key> pair;
  Bytes peer_point;      // of a foreign slot
  bool foreign = false;  // takes a peer's public key; there is no private part
  bool ephemeral = false;
  ObjectHead head;

  // What can be read and used of the public part; empty when nothing is there.
  const Bytes& point() const { return pair ? pair->point() : peer_point; }
};

struct Secret {
  std::uint8_t functions = 0, type = kHmacSecret;
  Bytes value;
  ObjectHead head;
};

struct File {
  Bytes content;
  std::uint8_t usage = 0;  // tag 21: 01 general, 02 an X.509 certificate; 0: nothing is said
  ObjectHead head;
};

// Ids are opaque octet strings. Not vector's own order: GCC 12 at -O2 takes its memcmp for one beyond every bound.
struct IdOrder {
  bool operator()(const Bytes& left, const Bytes& right) const {
    return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end());
  }
};
template <class Object>
using Objects = std::map<Bytes, Object, IdOrder>;

struct CardMemory {
  bool powered = true;  // without power neither door answers
  Objects<KeySlot> keys;
  Objects<Secret> secrets;
  Objects<File> files;
  Objects<File> announced;  // label and usage a file of this id has as soon as it is written; without content
  std::size_t file_octets_max = 16 * 1024;
  std::size_t files_max = 255;  // GET DATA counts them in one octet
  std::size_t keys_max = 64, secrets_max = 64;
  std::uint32_t touches =
      0;  // of the issuer, over all objects: one made in the place of another is told from it

  std::size_t FileOctets() const {
    std::size_t sum = 0;
    for (const auto& [id, file] : files) sum += file.content.size();
    return sum;
  }
  bool Fits() const {
    return FileOctets() <= file_octets_max && files.size() <= files_max && keys.size() <= keys_max &&
           secrets.size() <= secrets_max;
  }
};

}  // namespace registry::sim
