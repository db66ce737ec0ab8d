// clients/verdict/counters.h: how often what was said, and how the answers were come by.
// Threads: any, without a lock. Figures only grow, and end with the process.
// Text: Prometheus' text format 0.0.4, names beginning with registry_client_.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "clients/verdict/verdict.h"

namespace registry::clients {

class Counters {
 public:
  void Said(Verdict verdict) { ++verdicts_[static_cast<std::size_t>(verdict)]; }
  void FromCache() { ++cache_hits_; }
  void LookedUp(std::chrono::microseconds took) {
    ++look_ups_;
    look_up_micros_ += static_cast<std::uint64_t>(took.count());
  }
  void Heard() { ++notifications_; }
  std::string Text() const;

 private:
  std::array<std::atomic<std::uint64_t>, kVerdicts> verdicts_{};
  std::atomic<std::uint64_t> cache_hits_{0}, look_ups_{0}, look_up_micros_{0}, notifications_{0};
};

}  // namespace registry::clients
