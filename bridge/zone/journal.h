// bridge/zone/journal.h: the last versions' deltas, bounded by octets and by count, to answer IXFR from.
// Kept in memory only: after a restart a secondary takes one AXFR.
// Threads: none of its own; guarded by its owner.     Spec: RFC 1995 §4, §5.
#pragma once

#include <deque>

#include "bridge/zone/delta.h"

namespace registry::zone {

class Journal {
 public:
  Journal(std::size_t octets_max, std::size_t changes_max)
      : octets_max_(octets_max), changes_max_(changes_max) {}

  // A version more than one step on begins the journal anew: no difference leads over the gap.
  void Append(DeltaPtr delta);
  // Every version after `serial`, oldest first; empty when the journal does not reach back that far.
  std::vector<DeltaPtr> After(std::uint32_t serial) const;
  std::size_t octets() const { return octets_; }
  std::size_t size() const { return versions_.size(); }

 private:
  std::size_t octets_max_, changes_max_;
  std::size_t octets_ = 0;
  std::deque<DeltaPtr> versions_;
};

}  // namespace registry::zone
