#include "workers/crypto/der_reader.h"

#include <algorithm>

namespace registry::crypto {
namespace {

struct Length {
  std::size_t value = 0;
  std::size_t octets = 0;  // the length field itself
};

// X.690 §10.1: the shortest of the definite forms; 0x80 (indefinite) and 0xff (reserved) are refused.
std::optional<Length> ReadLength(OctetView octets) {
  if (octets.empty()) return std::nullopt;
  const std::uint8_t first = octets[0];
  if (first < 0x80) return Length{first, 1};
  const std::size_t count = first & 0x7f;
  if (count == 0 || count > 4 || octets.size() < 1 + count) return std::nullopt;
  std::size_t value = 0;
  for (std::size_t i = 1; i <= count; ++i) value = value << 8 | octets[i];
  const bool minimal = octets[1] != 0 && value >= 0x80;
  if (!minimal) return std::nullopt;
  return Length{value, 1 + count};
}

// X.690 §8.3.2: the first nine bits are neither all zero nor all one.
bool IsInteger(OctetView content) {
  if (content.empty()) return false;
  if (content.size() == 1) return true;
  const bool high = (content[1] & 0x80) != 0;
  return !(content[0] == 0x00 && !high) && !(content[0] == 0xff && high);
}

// X.690 §8.19.2: every subidentifier ends, and none starts with a padding octet.
bool IsOid(OctetView content) {
  if (content.empty() || (content.back() & 0x80) != 0) return false;
  bool starts = true;
  for (std::uint8_t octet : content) {
    if (starts && octet == 0x80) return false;
    starts = (octet & 0x80) == 0;
  }
  return true;
}

// X.690 §8.6.2.2 and §11.2.1: at most seven unused bits, and these are zero.
bool IsBitString(OctetView content) {
  if (content.empty() || content[0] > 7) return false;
  if (content.size() == 1) return content[0] == 0;
  return (content.back() & ((1u << content[0]) - 1)) == 0;
}

bool IsPrimitive(const DerElement& element) {
  switch (element.tag) {
    case tag::kBoolean:
      return element.content.size() == 1 && (element.content[0] == 0 || element.content[0] == 0xff);
    case tag::kInteger:
    case tag::kEnumerated:
      return IsInteger(element.content);
    case tag::kBitString:
      return IsBitString(element.content);
    case tag::kNull:
      return element.content.empty();
    case tag::kOid:
      return IsOid(element.content);
    // X.690 §8.23.8 and §8.23.7: characters of two octets, and of four. Nobody's reader takes a part of one.
    case tag::kBmpString:
      return element.content.size() % 2 == 0;
    case tag::kUniversalString:
      return element.content.size() % 4 == 0;
    default:
      return true;
  }
}

bool IsStrict(const DerElement& element, int depth) {
  constexpr std::uint8_t kConstructed = 0x20, kClass = 0xc0, kUniversal = 0x00;
  const bool universal = (element.tag & kClass) == kUniversal;
  if ((element.tag & kConstructed) == 0) {
    // X.690 §10.2 for strings; SEQUENCE and SET are always constructed (§8.9.1, §8.11.1).
    const bool must_construct =
        element.tag == (tag::kSequence & ~kConstructed) || element.tag == (tag::kSet & ~kConstructed);
    return !must_construct && element.tag != 0 && IsPrimitive(element);
  }
  if (universal && element.tag != tag::kSequence && element.tag != tag::kSet) return false;
  if (depth == 0) return false;
  DerReader reader(element.content);
  while (!reader.AtEnd()) {
    const auto child = reader.Next();
    if (!child || !IsStrict(*child, depth - 1)) return false;
  }
  return true;
}

}  // namespace

std::optional<DerElement> DerReader::Next() {
  constexpr std::uint8_t kManyOctetTag = 0x1f;
  if (rest_.size() < 2 || (rest_[0] & kManyOctetTag) == kManyOctetTag) return std::nullopt;
  const auto length = ReadLength(rest_.subspan(1));
  if (!length) return std::nullopt;
  const std::size_t header = 1 + length->octets;
  if (length->value > rest_.size() - header) return std::nullopt;
  const DerElement element{rest_[0], rest_.subspan(header, length->value),
                           rest_.first(header + length->value)};
  rest_ = rest_.subspan(header + length->value);
  return element;
}

std::optional<DerElement> DerReader::Next(std::uint8_t tag) {
  if (!Peek(tag)) return std::nullopt;
  return Next();
}

std::optional<DerElement> OnlyElement(OctetView octets, std::uint8_t tag) {
  DerReader reader(octets);
  auto element = reader.Next(tag);
  if (!element || !reader.AtEnd()) return std::nullopt;
  return element;
}

bool IsStrictDer(OctetView octets) {
  DerReader reader(octets);
  const auto element = reader.Next();
  return element && reader.AtEnd() && IsStrict(*element, kDerDepthMax);
}

bool Same(OctetView a, OctetView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

}  // namespace registry::crypto
