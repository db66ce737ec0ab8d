// bridge/zone/journal.h: the last versions' deltas, bounded by octets and by count, to answer IXFR from.
// A start fills it from the file of the signed zone (zone_file.h); without that a secondary takes one AXFR.
// Threads: none of its own; guarded by its owner.     Spec: RFC 1995 §4, §5.
#pragma once

#include <deque>

#include "bridge/zone/delta.h"

namespace registry::zone {

class Journal {
 public:
  Journal(std::size_t octets_max, std::size_t changes_max)
      : octets_max_(octets_max), changes_max_(changes_max) {}

  // One that does not begin where the last ends begins the journal anew. Its serials may leap: a start leaves out those
  // that were reserved before.
  void Append(DeltaPtr delta);
  void Clear();  // no difference leads over what comes next
  // Every version after `serial`, oldest first; empty when the journal does not reach back that far.
  std::vector<DeltaPtr> After(std::uint32_t serial) const;
  std::vector<DeltaPtr> All() const { return {versions_.begin(), versions_.end()}; }
  std::size_t octets() const { return octets_; }
  std::size_t size() const { return versions_.size(); }

 private:
  std::size_t octets_max_, changes_max_;
  std::size_t octets_ = 0;
  std::deque<DeltaPtr> versions_;
};

}  // namespace registry::zone
