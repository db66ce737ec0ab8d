// workers/crypto/der_writer.h: builds DER (ITU-T X.690) from the inside out, as plain values.
// Pure, any thread. Cannot fail: who writes knows what he writes; a malformed argument is a defect
// (REG_CHECK).
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "schemas/base/bytes.h"
#include "schemas/base/utc_time.h"
#include "workers/crypto/der_reader.h"

namespace registry::crypto {

// Tag, length and the parts one after the other.
Bytes Der(std::uint8_t tag, std::initializer_list<OctetView> parts);
inline Bytes DerSequence(std::initializer_list<OctetView> parts) { return Der(tag::kSequence, parts); }
// SET OF in the order DER demands (X.690 §11.6).
Bytes DerSetOf(std::vector<Bytes> elements, std::uint8_t tag = tag::kSet);
// A non-negative INTEGER from big-endian octets; leading zeros are dropped, a sign octet is added where
// needed.
Bytes DerInteger(OctetView magnitude);
Bytes DerInteger(std::uint64_t value);
// Dotted text, arcs of any size (2.25.<UUID>).
Bytes DerOid(const char* dotted);
Bytes DerBitString(OctetView octets);
// RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050; whole seconds.
Bytes DerTime(UtcTime time);

inline OctetView View(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace registry::crypto
