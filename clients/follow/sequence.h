// clients/follow/sequence.h: decides what a follower does next: which notification has its turn, when feed.replay and
// feed.ack are due, and what is gone for good. Plain value: no clock, no connection, one thread.
// Rules: schemas/README.md, "Notifications"; schemas/PARTY.md, "Rules you must keep" (1, 2, 4).
// Limits: kWaitingMax notifications wait for one before them. Of more the last are dropped, and asked for again.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "clients/follow/follower.h"

namespace registry::follow {

class Sequence {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kWaitingMax = 2000;
  static constexpr std::uint64_t kReplayMax = 1000;  // of one feed.replay
  static constexpr std::chrono::milliseconds kReplayEvery{
      1100};  // the registry puts off what comes within a second
  static constexpr std::chrono::milliseconds kPauseMax{60'000};  // between replays that bring nothing
  static constexpr std::chrono::milliseconds kGapPatience{500};  // of silence
  static constexpr std::chrono::milliseconds kAckEvery{1000};

  explicit Sequence(std::uint64_t applied) : applied_(applied) {}

  void Connected();  // in each new connection a replay is due, whatever the broker has kept
  void Heard(Notification notification, Time now);
  const Notification* Next() const;  // the one whose turn it is; nullptr: it has not come
  void Handled();                    // that one is dealt with
  std::uint64_t applied() const { return applied_; }

  struct Status {  // the reply feed.status
    std::uint64_t last = 0, acked = 0, replayed = 0;
  };
  // What is gone for good, when Next is nullptr; Gone says it was told. nullopt: nothing.
  std::optional<std::pair<std::uint64_t, std::uint64_t>> Accepted(bool replay, const Status& status);
  void Gone(std::uint64_t last);
  void Rejected(bool replay, std::chrono::milliseconds retry_after, Time now);  // 0: it said nothing of it

  std::optional<std::uint64_t> ReplayDue(Time now) const;  // fromSeq
  std::optional<std::uint64_t> AckDue(Time now) const;
  // Asked under that id. Replies are known by it.
  void Asked(bool replay, std::string id, Time now);
  bool Awaits(bool replay, const std::string& id) const { return asked_[replay].id == id && !id.empty(); }
  bool GaveUp(bool replay, Time now, std::chrono::seconds patience);  // true once: no reply came in time

 private:
  struct Question {
    std::string id;  // empty: none is open
    Time since{}, not_before{};
  };
  std::uint64_t applied_, last_ = 0, acked_ = 0;
  std::map<std::uint64_t, Notification> waiting_;
  Question asked_[2];  // feed.ack, feed.replay
  Time heard_at_{};
  std::chrono::milliseconds pause_ = kReplayEvery;
  bool unasked_ = true;
};

}  // namespace registry::follow
