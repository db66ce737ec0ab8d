// bridge/outbox/window.h: what was handed to a sink and is not yet confirmed, and how far the confirmed part reaches.
// Owns: nothing. Outlives the relay that made it when a confirmation comes late, so it is held by shared_ptr.
// Threads: every call from any thread.
// Rule: the cursor is the last entry before which everything is confirmed. After a failure nothing more is handed over
//   until every entry out there has been answered; then all after the cursor is carried again, in order, so that a
//   receiver never sees an old entry after a new one without seeing the new one again (MQTT 5 §4.6).
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <vector>

#include "bridge/outbox/relay.h"
#include "schemas/base/mutex.h"

namespace registry::outbox {

class Window {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Window(ledger::Seq cursor) : cursor_(cursor), last_(cursor) {}

  using Seqs = std::vector<ledger::Seq>;
  // Before the entries are handed over, since their confirmation may come first. Seqs only grow. False after a failure.
  bool Sent(const Seqs& seqs);
  // What travelled together is answered together.
  void Answered(const Seqs& seqs, const Publisher::Receipt& answer);
  // The sink took none of these, nor was asked to: counts as a failure, but as nobody's fault.
  void NotTaken(const Seqs& seqs);

  ledger::Seq cursor() const;
  ledger::Seq last() const;  // handed over last; reading goes on behind it
  bool failed() const;
  // Room for more, at most `limit` out there; waits for some until `until`. 0 when there is none, or after a failure.
  std::size_t WaitForRoom(std::size_t limit, Clock::time_point until);
  // True when every entry handed over has been answered before `until`.
  bool WaitUntilAnswered(Clock::time_point until);
  // The entry right behind the cursor, and what became of it; with everything answered.
  struct Stuck {
    ledger::Seq seq = 0;
    Publisher::Receipt answer;
    bool alone = false;     // nothing else waited for an answer beside it
    ledger::Seq until = 0;  // the last entry that was out there with it
  };
  std::optional<Stuck> Head() const;
  // That entry is dealt with in another way: the cursor passes it.
  void Pass(ledger::Seq seq);
  // After a failure, with everything answered: back to the cursor.
  void Rewind();

 private:
  enum class State : std::uint8_t { kOut, kConfirmed, kFailed, kNotTaken };
  struct Slot {
    ledger::Seq seq;
    State state = State::kOut;
    Publisher::Receipt failure{};
  };
  Slot& SlotOf(ledger::Seq seq) REQUIRES(mutex_);
  void MoveCursor() REQUIRES(mutex_);

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Slot> slots_ GUARDED_BY(mutex_);  // after the cursor, in order
  std::size_t unanswered_ GUARDED_BY(mutex_) = 0;
  ledger::Seq cursor_ GUARDED_BY(mutex_), last_ GUARDED_BY(mutex_);
  bool failed_ GUARDED_BY(mutex_) = false;
};

}  // namespace registry::outbox
