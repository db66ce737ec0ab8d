#include "bridge/ingest/shares.h"

namespace registry::ingest {

bool Shares::Take(const PartyId& party) {
  const std::lock_guard lock(mutex_);
  std::size_t& taken = taken_[party];
  if (taken >= each_) return false;
  ++taken;
  return true;
}

void Shares::TakeAnyway(const PartyId& party) {
  const std::lock_guard lock(mutex_);
  ++taken_[party];
}

void Shares::GiveBack(const PartyId& party) {
  const std::lock_guard lock(mutex_);
  const auto share = taken_.find(party);
  if (--share->second == 0) taken_.erase(share);
}

}  // namespace registry::ingest
