// bridge/ingest/pace.h: how much slower than they may, orders go on: single commands come first. What a single command
// waited for its decision is told by the lanes. A second in which one waited longer than kPatience halves the pace of all
// orders, a second in which none did doubles it again. Seconds in which no order asked count as any, the last alone can be
// one of waiting.
// Threads: Waited from any and never blocks, Divisor from one.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace registry::ingest {

class Pace {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds kPatience{100};
  static constexpr std::chrono::seconds kLookEvery{1};
  static constexpr std::uint32_t kSlowest = 64;  // an order of 50 a second still does one

  explicit Pace(Time now = std::chrono::steady_clock::now()) : looked_(now) {}
  void Waited(std::chrono::steady_clock::duration wait, Time now);
  // What an order's rate is divided by at this moment: 1, 2, 4 … kSlowest.
  std::uint32_t Divisor(Time now);

 private:
  std::atomic<Time> impatient_{Time::min()};  // when one had waited too long, the last time
  Time looked_;
  std::uint32_t divisor_ = 1;
};

}  // namespace registry::ingest
