// bridge/zone/wire.h: names and integers as DNS puts them on the wire, and a reader that trusts nothing.
// Names are held uncompressed, in lower case (the canonical form of RFC 4034 §6.2), ending in the root octet.
// Reader: every step is bounds-checked and answers false at the first octet that is not there; it never
// throws. Threads: plain values.      Spec: RFC 1035 §2.3.4, §3.1, §4.1.4; RFC 4034 §6.2.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "schemas/base/bytes.h"

namespace registry::zone {

using Name = Bytes;
using View = std::span<const std::uint8_t>;

inline std::string_view AsText(View octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}
using registry::AsText;  // of Bytes

inline constexpr std::uint16_t kTypeA = 1, kTypeNs = 2, kTypeSoa = 6, kTypeTxt = 16, kTypeAaaa = 28,
                               kTypeRrsig = 46, kTypeDnskey = 48, kTypeNsec3 = 50, kTypeNsec3Param = 51,
                               kTypeTlsa = 52, kTypeDs = 43, kTypeCds = 59, kTypeCdnskey = 60,
                               kTypeTsig = 250, kTypeIxfr = 251, kTypeAxfr = 252;
inline constexpr std::uint16_t kClassIn = 1, kClassAny = 255;
inline constexpr std::size_t kNameMax = 255, kLabelMax = 63;

// "a.b.test" or "a.b.test."; nullopt for empty or long labels and for octets outside visible ASCII. "." is
// the root.
std::optional<Name> NameFromText(std::string_view text);
std::string NameToText(
    const Name& name);  // without the trailing dot; octets outside letters, digits, "-_" as \DDD
// The labels of `name` in front of `zone`, without a root octet; nullopt when it is not at or below the zone.
std::optional<Bytes> PrefixIn(const Name& name, const Name& zone);
int LabelCount(View name_or_prefix);

void PutU16(Bytes& out, std::uint16_t value);
void PutU32(Bytes& out, std::uint32_t value);
void PutU48(Bytes& out, std::uint64_t value);
void Put(Bytes& out, View octets);
void PutFramed(Bytes& out, View message);  // with its length in front, as over TCP (RFC 1035 §4.2.2)
void SetU16(Bytes& out, std::size_t at, std::uint16_t value);

class Reader {
 public:
  explicit Reader(View message, std::size_t at = 0) : message_(message), at_(at) {}
  bool U8(std::uint8_t& value);
  bool U16(std::uint16_t& value);
  bool U32(std::uint32_t& value);
  bool U48(std::uint64_t& value);
  bool Octets(std::size_t size, Bytes& value);
  bool Take(std::size_t size, View& octets);  // without a copy
  bool Skip(std::size_t size);
  // RFC 1035 §4.1.4: follows compression pointers, which must point strictly backward.
  bool ReadName(Name& name);
  std::size_t at() const { return at_; }
  std::size_t left() const { return message_.size() - at_; }

 private:
  View message_;
  std::size_t at_;
};

// RFC 1982 §3.2 for 32-bit serials: true when `a` is ahead of `b`.
inline bool SerialAhead(std::uint32_t a, std::uint32_t b) {
  return a != b && static_cast<std::uint32_t>(a - b) < 0x80000000u;
}

}  // namespace registry::zone
