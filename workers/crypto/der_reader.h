// workers/crypto/der_reader.h: reads DER as it stands in octets that came from outside.
// Strict (ITU-T X.690 §10, §11): definite and minimal lengths, single-octet tags, no constructed strings,
// minimal INTEGER and OBJECT IDENTIFIER, BOOLEAN only 00 or FF. What is not exactly DER is refused, never
// repaired. Owns: nothing; every view points into the caller's octets. Pure, any thread. Errors: nullopt or
// false, no reasons. Limits: nesting kDerDepthMax, so that no input decides how deep the stack grows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace registry::crypto {

using OctetView = std::span<const std::uint8_t>;

inline constexpr int kDerDepthMax = 16;

namespace tag {
inline constexpr std::uint8_t kBoolean = 0x01, kInteger = 0x02, kBitString = 0x03, kOctetString = 0x04,
                              kNull = 0x05, kOid = 0x06, kEnumerated = 0x0a, kUtf8String = 0x0c,
                              kPrintableString = 0x13, kTeletexString = 0x14, kIa5String = 0x16,
                              kUtcTime = 0x17, kGeneralizedTime = 0x18, kUniversalString = 0x1c,
                              kBmpString = 0x1e, kSequence = 0x30, kSet = 0x31;
constexpr std::uint8_t Context(std::uint8_t number) { return static_cast<std::uint8_t>(0x80 | number); }
constexpr std::uint8_t ContextConstructed(std::uint8_t number) {
  return static_cast<std::uint8_t>(0xa0 | number);
}
}  // namespace tag

struct DerElement {
  std::uint8_t tag = 0;
  OctetView content;
  OctetView whole;  // with tag and length
};

// Walks the elements that stand side by side in `octets`.
class DerReader {
 public:
  explicit DerReader(OctetView octets) : rest_(octets) {}

  bool AtEnd() const { return rest_.empty(); }
  std::optional<DerElement> Next();                  // nullopt at the end too
  std::optional<DerElement> Next(std::uint8_t tag);  // nullopt when another tag stands there
  bool Peek(std::uint8_t tag) const { return !rest_.empty() && rest_.front() == tag; }

 private:
  OctetView rest_;
};

// Exactly one element with this tag, and nothing behind it.
std::optional<DerElement> OnlyElement(OctetView octets, std::uint8_t tag);
// Exactly one element, DER all the way down (the contents of OCTET and BIT STRINGs are not looked into).
bool IsStrictDer(OctetView octets);

bool Same(OctetView a, OctetView b);

}  // namespace registry::crypto
