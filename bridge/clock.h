// bridge/clock.h: where the time comes from. Workers only ever see the value `now`.
#pragma once

#include <chrono>

#include "schemas/base/utc_time.h"

namespace registry {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual UtcTime Now() const = 0;
};

class SystemClock : public Clock {
 public:
  UtcTime Now() const override {
    return {std::chrono::duration_cast<std::chrono::microseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
  }
};

}  // namespace registry
