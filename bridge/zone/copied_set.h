// bridge/zone/copied_set.h: an RRset with its RRSIGs taken apart into RDATA, as a zone transfer tells it, and put together
// again as the block that the registry which signed it has.
// Threads: plain values.     Spec: RFC 4034 §3, §6.3 (order of the records).
#pragma once

#include "bridge/zone/rrset.h"

namespace registry::zone {

struct SetParts {
  std::uint32_t ttl = 0;
  std::vector<Bytes> rdatas, rrsigs;  // RDATA; signatures in the order in which they came
};

SetParts PartsOf(const Block& block);
// `prefix`: the owner's labels in front of the zone. Null: there is no record or no signature, or they are none.
BlockPtr BlockOf(const Bytes& prefix, std::uint16_t type, SetParts parts, Frames& frames);
// The type of the set that a record belongs to: for an RRSIG the one that it covers.
std::uint16_t TypeOfSet(std::uint16_t type, View rdata);

}  // namespace registry::zone
