// tests/unit/bridge/zone/zone_wires.h: all that is in a zone, to compare one that is served with one that is kept.
#pragma once

#include <set>

#include "bridge/zone/store.h"
#include "bridge/zone/stored_zone.h"

namespace registry::zone::testing {

using Content = std::multiset<Bytes>;  // records with their signatures, the SOA too

inline Content ContentOf(const ZoneStore& store) {
  Content content;
  const Transfer whole = store.Full();
  for (std::size_t i = 0; i + 1 < whole.pieces.size(); ++i) content.insert(whole.pieces[i].block->wire());
  return content;
}

inline Content ContentOf(const StoredZone& zone) {
  Content content{zone.soa->wire()};
  for (const BlockPtr& block : zone.blocks.All()) content.insert(block->wire());
  return content;
}

}  // namespace registry::zone::testing
