// bridge/zone/signature_fields.h: the RDATA of an RRSIG that somebody else has sent, taken apart.
// Threads: plain values; the views point into what was given.
// Spec: RFC 4034 §3.1 (the signer's name is not compressed, §3.1.7), §3.1.5 (times are serial numbers).
#pragma once

#include "bridge/clock.h"
#include "bridge/zone/wire.h"

namespace registry::zone {

struct SignatureFields {
  std::uint16_t covered = 0, tag = 0;
  std::uint8_t algorithm = 0, labels = 0;
  std::uint32_t ttl = 0, expires = 0, begins = 0;
  Name signer;
  View head, signature;  // what is signed of it; what signs

  bool Expired(UtcTime now) const;
  bool NotYet(UtcTime now) const;
};

std::optional<SignatureFields> FieldsOf(View rrsig_rdata);  // nullopt: it is cut short

}  // namespace registry::zone
