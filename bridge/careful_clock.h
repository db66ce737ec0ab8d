// bridge/careful_clock.h: the time by which something may be forgotten. It is never ahead of the clock, and it goes at
// most a day in an hour that has really passed (the steady clock). So a clock that is set a year forward for a while does
// not make the registry forget a year at once, and what is forgotten before somebody sets it right again is little.
// A clock that is set back takes this time with it, and brings it back when it is set right.
// Use: `from` is the latest time at which nothing is due yet, so that a start, too, waits. Now must be asked often: what
// the clock said in between is not known.
// Threads: one at a time.
#pragma once

#include <algorithm>
#include <chrono>

#include "schemas/base/utc_time.h"

namespace registry {

class CarefulClock {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  CarefulClock(UtcTime from, Steady since) : reached_(from), since_(since) {}
  UtcTime Now(UtcTime clock, Steady steady) {
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(steady - since_);
    since_ = steady;
    reached_ = std::max(reached_, std::min(clock, reached_ + passed * kHoursOfADay));
    return std::min(clock, reached_);
  }

 private:
  static constexpr int kHoursOfADay = 24;
  UtcTime reached_;  // not given up while the clock is set back: it has been right before, and may be again
  Steady since_;
};

}  // namespace registry
