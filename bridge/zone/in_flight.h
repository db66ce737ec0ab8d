// bridge/zone/in_flight.h: the changes that are published and not yet served by every secondary, in order.
// A secondary that stays away must not end revocation and signing for the others, nor take all memory: above `max` changes
// only their place in the ledger is kept, and neighbouring versions become one.
// Threads: the publishing thread only.
#pragma once

#include <deque>

#include "bridge/zone/arrivals.h"

namespace registry::zone {

class InFlight {
 public:
  explicit InFlight(std::size_t max) : max_(max) {}

  // False when it takes the changes over the bound: only their place is kept.
  bool Keep(Batch batch);
  // The first is on its way to be told.
  void DropFirst(std::size_t changes);
  Batch& front() { return batches_.front(); }
  bool empty() const { return batches_.empty(); }
  std::size_t changes() const { return changes_; }
  // Well under the bound again.
  bool eased() const { return changes_ <= max_ / 2; }
  // All of them are held by the version of this serial, and by none that was numbered before.
  void Renumber(std::uint32_t serial);

 private:
  bool JoinsLast(const Batch& batch) const;

  const std::size_t max_;
  std::deque<Batch> batches_;
  std::size_t changes_ = 0;
};

}  // namespace registry::zone
