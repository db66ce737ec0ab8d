// bridge/zone/waiting.h: the changes that wait for the next version, read from the outbox behind those of the last one.
// Each is read once, however often is looked. The ledger outlives it.
// Threads: the publishing thread only.        Limits: `max` entries.
#pragma once

#include "bridge/zone/arrivals.h"

namespace registry::zone {

class Waiting {
 public:
  Waiting(ledger::Ledger& ledger, std::size_t max) : ledger_(ledger), max_(max) { StartBehind(0); }
  // The entries up to `read` are handed to the zone already.
  void StartBehind(ledger::Seq read);

  // Takes what has come; with nothing there yet it waits for the first, at most `wait`. Errors: the ledger's.
  Status Read(std::chrono::milliseconds wait);
  bool empty() const { return batch_.last == batch_.after; }
  bool revokes() const { return batch_.revokes_since.has_value(); }  // a record leaves the zone with them
  const Batch& batch() const { return batch_; }
  // All of it, without a serial; what comes from now on is for another version.
  Batch Take();

 private:
  ledger::Ledger& ledger_;
  const std::size_t max_;
  Batch batch_;
  std::size_t entries_ = 0;
};

}  // namespace registry::zone
