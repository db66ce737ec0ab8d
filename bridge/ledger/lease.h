// bridge/ledger/lease.h: how sure a registry may be that no other has taken its ledger over. Whoever holds the ledger writes
// into it again and again; another takes it over when it has seen nothing new there for the whole lease. So what was
// begun and came back proves the lease from its beginning on: the other has seen it later than that, or will.
// Time is CLOCK_BOOTTIME, which goes on while the machine sleeps (clock_gettime(2)); of two machines' clocks only the
// rates have to agree, and the margin is a quarter of the lease.
// Owns: nothing. Threads: any. Errors: none.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace registry::ledger {

class Lease {
 public:
  using Span = std::chrono::nanoseconds;  // since the machine was started, or between two times
  // kAgeing: nothing came back for half the lease: let go of what others are to have, and begin nothing.
  // kOver: another may have the ledger, or has it soon.
  enum class State : std::uint8_t { kFresh, kAgeing, kOver };

  explicit Lease(std::chrono::milliseconds lasts) : lasts_(lasts) {}

  static Span Now();
  void Proved(Span begun);  // what was begun then has come back
  Span proved() const { return Span(proved_.load()); }
  Span age() const { return Now() - proved(); }
  State state() const { return StateAt(Now()); }
  State StateAt(Span now) const;
  std::chrono::milliseconds lasts() const { return lasts_; }

 private:
  const std::chrono::milliseconds lasts_;
  std::atomic<Span::rep> proved_{0};
};

}  // namespace registry::ledger
