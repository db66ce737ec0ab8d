// bridge/zone/delta.h: what one version of the zone has that the one before had not, and the other way round.
// Plain value; the blocks are shared, not copied.
#pragma once

#include <vector>

#include "bridge/zone/rrset.h"

namespace registry::zone {

struct Delta {
  std::uint32_t from = 0, to = 0;        // SOA serials
  BlockPtr soa_from, soa_to;             // soa_from is null for the first version
  std::vector<BlockPtr> removed, added;  // without the SOA

  std::size_t octets() const;
};
using DeltaPtr = std::shared_ptr<const Delta>;

// Takes out of both lists what is in both.
void Cancel(Delta& delta);
// RFC 1995 §6: one difference in place of several neighbouring ones, oldest first.
Delta Condense(const std::vector<DeltaPtr>& versions);

}  // namespace registry::zone
