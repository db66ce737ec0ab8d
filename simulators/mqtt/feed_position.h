// simulators/mqtt/feed_position.h: how much of its feed a party has seen without a gap: what to acknowledge, what to ask
// for again (design §3, gap-free notifications).
// Plain and not thread-safe; the caller tells the time and says what comes due. A gap is given time to close by itself,
// then a replay is asked for, again and again until the registry has accepted it; what an accepted replay does not bring
// either has expired at the registry and is passed over.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>

namespace registry::sim {

class FeedPosition {
 public:
  using Clock = std::chrono::steady_clock;
  struct Due {
    std::optional<std::uint64_t> replay_from, ack;
  };

  void Saw(std::uint64_t seq, Clock::time_point now) {
    if (seq <= whole_) return;
    const bool gap_was_open = !beyond_.empty();
    beyond_.insert(seq);
    if (Close() || !gap_was_open) Restart(now);
  }
  std::uint64_t whole() const { return whole_; }  // everything up to here was seen or has expired

  // What to say now: feed.replay from the first missing position once the gap is `patience` old, and feed.ack for what has
  // become whole since the last time.
  Due TakeDue(Clock::time_point now, std::chrono::milliseconds patience) {
    Due due;
    due.replay_from = WantReplay(now, patience);
    if (whole_ > acked_) due.ack = acked_ = whole_;
    return due;
  }
  // The answer to feed.replay. A rejection, or none at all, says nothing about what the registry still has.
  void Replayed(bool accepted, Clock::time_point now) {
    if (state_ != State::kAsked) return;  // the gap closed meanwhile
    state_ = accepted ? State::kReplayed : State::kWaiting;
    since_ = now;
  }

 private:
  enum class State { kWaiting, kAsked, kReplayed };

  std::optional<std::uint64_t> WantReplay(Clock::time_point now, std::chrono::milliseconds patience) {
    if (beyond_.empty() || state_ == State::kAsked || now < since_ + patience) return std::nullopt;
    if (state_ == State::kWaiting) {
      state_ = State::kAsked;
      return whole_ + 1;
    }
    whole_ = *beyond_.begin() - 1;
    Close();
    Restart(now);
    return std::nullopt;
  }
  bool Close() {  // true: moved on
    const std::uint64_t before = whole_;
    while (!beyond_.empty() && *beyond_.begin() == whole_ + 1) {
      whole_ = *beyond_.begin();
      beyond_.erase(beyond_.begin());
    }
    return whole_ != before;
  }
  void Restart(Clock::time_point now) {
    since_ = now;
    state_ = State::kWaiting;
  }

  std::uint64_t whole_ = 0, acked_ = 0;
  std::set<std::uint64_t> beyond_;
  Clock::time_point since_{};
  State state_ = State::kWaiting;
};

}  // namespace registry::sim
