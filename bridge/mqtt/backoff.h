// bridge/mqtt/backoff.h: how long to wait before the next attempt to connect: doubling, with jitter, so that
// many clients of a restarted broker do not come back in step. Plain value, one thread.
#pragma once

#include <chrono>
#include <random>

namespace registry::mqtt {

class Backoff {
 public:
  Backoff(std::chrono::milliseconds min, std::chrono::milliseconds max, std::uint64_t seed);
  std::chrono::milliseconds Next();  // between half the current step and all of it; the step then doubles
  void Reset() { step_ = min_; }

 private:
  const std::chrono::milliseconds min_, max_;
  std::chrono::milliseconds step_;
  std::mt19937_64 random_;
};

}  // namespace registry::mqtt
