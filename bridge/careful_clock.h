// bridge/careful_clock.h: the time by which something may be forgotten. It is never ahead of the clock, and it goes at
// most a day in an hour that has really passed (the steady clock). So a clock that is set a year forward for a while does
// not make the registry forget a year at once, and what is forgotten before somebody sets it right again is little.
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

  CarefulClock(UtcTime from, Steady since) : time_(from), since_(since) {}
  UtcTime Now(UtcTime clock, Steady steady) {
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(steady - since_);
    since_ = steady;
    time_ = std::min(clock, time_ + passed * kHoursOfADay);
    return time_;
  }

 private:
  static constexpr int kHoursOfADay = 24;
  UtcTime time_;
  Steady since_;
};

}  // namespace registry
