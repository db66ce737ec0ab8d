#include "workers/crypto/der_writer.h"

#include <openssl/objects.h>

#include <algorithm>
#include <memory>

#include "schemas/base/check.h"

namespace registry::crypto {
namespace {

void AppendLength(Bytes& out, std::size_t length) {
  if (length < 0x80) {
    out.push_back(static_cast<std::uint8_t>(length));
    return;
  }
  int octets = 0;
  for (std::size_t rest = length; rest != 0; rest >>= 8) ++octets;
  out.push_back(static_cast<std::uint8_t>(0x80 | octets));
  while (octets-- > 0) out.push_back(static_cast<std::uint8_t>(length >> (8 * octets)));
}

}  // namespace

Bytes Der(std::uint8_t tag, std::initializer_list<OctetView> parts) {
  std::size_t length = 0;
  for (OctetView part : parts) length += part.size();
  Bytes out;
  out.reserve(length + 6);
  out.push_back(tag);
  AppendLength(out, length);
  for (OctetView part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

Bytes DerSetOf(std::vector<Bytes> elements, std::uint8_t tag) {
  std::sort(elements.begin(), elements.end(),
            [](const Bytes& a, const Bytes& b) { return AsText(a) < AsText(b); });
  Bytes content;
  for (const Bytes& element : elements) content.insert(content.end(), element.begin(), element.end());
  return Der(tag, {content});
}

Bytes DerInteger(OctetView magnitude) {
  while (!magnitude.empty() && magnitude.front() == 0) magnitude = magnitude.subspan(1);
  static constexpr std::uint8_t kZero[] = {0};
  const bool needs_sign = magnitude.empty() || (magnitude.front() & 0x80) != 0;
  return Der(tag::kInteger, {needs_sign ? OctetView(kZero) : OctetView(), magnitude});
}

Bytes DerInteger(std::uint64_t value) {
  Bytes octets(8);
  for (std::size_t i = 0; i < 8; ++i) octets[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
  return DerInteger(OctetView(octets));
}

Bytes DerOid(const char* dotted) {
  const std::unique_ptr<ASN1_OBJECT, decltype(&ASN1_OBJECT_free)> object(OBJ_txt2obj(dotted, 1),
                                                                         &ASN1_OBJECT_free);
  REG_CHECK(object != nullptr);
  return Der(tag::kOid, {OctetView(OBJ_get0_data(object.get()), OBJ_length(object.get()))});
}

Bytes DerBitString(OctetView octets) {
  static constexpr std::uint8_t kNoUnusedBits[] = {0};
  return Der(tag::kBitString, {OctetView(kNoUnusedBits), octets});
}

Bytes DerTime(UtcTime time) {
  std::string text;  // "YYYYMMDDHHMMSSZ" from RFC 3339
  for (char c : ToRfc3339(time).substr(0, 19)) {
    if (c >= '0' && c <= '9') text.push_back(c);
  }
  text.push_back('Z');
  if (text < "2050") return Der(tag::kUtcTime, {View(std::string_view(text).substr(2))});
  return Der(tag::kGeneralizedTime, {View(text)});
}

}  // namespace registry::crypto
