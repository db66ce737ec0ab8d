// simulators/asp/feed_position.h: how much of its feed a party has seen without a gap: what to acknowledge,
// what to ask for again (design §3, gap-free notifications).
// Plain and not thread-safe; the caller tells the time. A gap is given time to close by itself, then a replay
// is wanted, and what a replay does not bring either has expired at the registry and is passed over.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>

namespace registry::sim {

class FeedPosition {
 public:
  using Clock = std::chrono::steady_clock;

  void Saw(std::uint64_t seq, Clock::time_point now) {
    if (seq <= whole_) return;
    const bool gap_was_open = !beyond_.empty();
    beyond_.insert(seq);
    if (Close() || !gap_was_open) Restart(now);
  }
  std::uint64_t whole() const { return whole_; }  // everything up to here was seen or has expired
  // The first missing position, once the gap is `patience` old; asked again at most every `patience`.
  std::optional<std::uint64_t> WantReplay(Clock::time_point now, std::chrono::milliseconds patience) {
    if (beyond_.empty() || now < gap_since_ + patience) return std::nullopt;
    if (asked_) {
      whole_ = *beyond_.begin() - 1;
      Close();
      Restart(now);
      return std::nullopt;
    }
    asked_ = true;
    gap_since_ = now;
    return whole_ + 1;
  }

 private:
  bool Close() {  // true: moved on
    const std::uint64_t before = whole_;
    while (!beyond_.empty() && *beyond_.begin() == whole_ + 1) {
      whole_ = *beyond_.begin();
      beyond_.erase(beyond_.begin());
    }
    return whole_ != before;
  }
  void Restart(Clock::time_point now) {
    gap_since_ = now;
    asked_ = false;
  }

  std::uint64_t whole_ = 0;
  std::set<std::uint64_t> beyond_;
  Clock::time_point gap_since_{};
  bool asked_ = false;
};

}  // namespace registry::sim
