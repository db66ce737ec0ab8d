// bridge/ledger/retention.h: forgets event marks, with the replies in them, day by day. A mark is kept for `event_days`
// whole days, and a day longer for senders whose clocks are ahead. After that its sender's repeat is not known any more:
// MayBeForgotten says so of a command by its `time`, and it is refused rather than decided a second time.
// Order: first the ledger notes which days are to be forgotten, then the marks go, some thousands in a commit. So whoever
//   finds no mark, and asks which days are kept behind that, never takes a forgotten command for a new one.
// Protection: the days follow a careful clock (careful_clock.h), so a clock set forward forgets a day an hour at most, and
//   nothing in the first hour after a start. A clock that is behind makes marks that would go too early; TimeOfMark is
//   for that. The ledger puts no mark under a day before the first one kept.
// Threads: Tick from one thread, oldest from any. The ledger outlives it.
// Errors: the ledger's; what a tick did not do the next one does.
// Limits: a tick erases at most 65,536 marks.
#pragma once

#include <atomic>
#include <optional>

#include "bridge/careful_clock.h"
#include "bridge/ledger/ledger.h"

namespace registry::ledger {

// Whether a command first said at this time may have been decided and forgotten.
bool MayBeForgotten(UtcTime said, const MarksKept& kept);

// The `at` of the mark of a command that is decided now. MayBeForgotten judges a repeat by its `time`, so the mark must
// not go before that time's day does. When this registry's clock is behind, `now` is too early for that, and `said` counts.
// Limit: up to 30 days after the clock, or after the first day kept where that is later. A `said` behind that may be a
// sender's mistake, and its mark would never go; it is the one whose repeat can be decided again.
UtcTime TimeOfMark(UtcTime now, std::optional<UtcTime> said, const MarksKept& kept);

class Retention {
 public:
  Retention(Ledger& ledger, int event_days) : ledger_(ledger), days_(static_cast<domain::Day>(event_days)) {}
  // Often, at least some times an hour; true when it left something to do.
  Result<bool> Tick(UtcTime clock, CarefulClock::Steady steady);
  // The start of the oldest day of which a mark is kept, in seconds since 1970; 0 before the first tick and without marks.
  std::int64_t oldest() const { return oldest_; }

 private:
  Result<std::optional<domain::Day>> OldestDay();
  domain::Day FirstKept(UtcTime time) const;
  Result<bool> EraseSome();

  Ledger& ledger_;
  const domain::Day days_;
  std::optional<CarefulClock> careful_;
  std::optional<domain::DayMark> erased_;  // the last; RocksDB would walk over the graves before it
  std::atomic<std::int64_t> oldest_{0};
};

}  // namespace registry::ledger
