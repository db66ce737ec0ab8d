#include "bridge/outbox/window.h"

#include <algorithm>

namespace registry::outbox {

// A slot lives from Sent until everything up to it is confirmed, so the deque begins right behind the cursor and its
// length is what a restart would carry again. `unanswered_` is less: it does not count slots that are confirmed and wait
// for an earlier one.
bool Window::Sent(ledger::Seq seq) {
  const MutexLock lock(mutex_);
  if (failed_) return false;
  REG_CHECK(seq > last_);
  slots_.push_back({seq, false, {}});
  last_ = seq;
  ++unanswered_;
  return true;
}

void Window::Answered(ledger::Seq seq, Publisher::Receipt answer) {
  const MutexLock lock(mutex_);
  const auto slot = std::lower_bound(slots_.begin(), slots_.end(), seq,
                                     [](const Slot& a, ledger::Seq b) { return a.seq < b; });
  REG_CHECK(slot != slots_.end() && slot->seq == seq && !slot->confirmed && unanswered_ > 0);
  slot->confirmed = answer.fate == Publisher::Fate::kTaken;
  failed_ = failed_ || !slot->confirmed;
  if (!slot->confirmed) slot->failure = std::move(answer);
  Settle();
}

// Whoever hands over is one thread, so the entry that was not taken is still the last; those before it may be answered
// meanwhile, and with none of them left the place to read on from is the cursor itself.
void Window::NotTaken() {
  const MutexLock lock(mutex_);
  REG_CHECK(!slots_.empty() && slots_.back().seq == last_);
  slots_.pop_back();
  last_ = slots_.empty() ? cursor_ : slots_.back().seq;
  failed_ = true;
  Settle();
}

// One entry less out there; the cursor follows the confirmed prefix.
void Window::Settle() {
  --unanswered_;
  MoveCursor();
  changed_.NotifyAll();
}

void Window::MoveCursor() {
  while (!slots_.empty() && slots_.front().confirmed) {
    cursor_ = slots_.front().seq;
    slots_.pop_front();
  }
}

ledger::Seq Window::cursor() const {
  const MutexLock lock(mutex_);
  return cursor_;
}

ledger::Seq Window::last() const {
  const MutexLock lock(mutex_);
  return last_;
}

bool Window::failed() const {
  const MutexLock lock(mutex_);
  return failed_;
}

std::size_t Window::WaitForRoom(std::size_t limit, Clock::time_point until) {
  MutexLock lock(mutex_);
  // Confirmed entries behind an unanswered one still count: they may have to be carried again.
  changed_.WaitUntil(lock, until, [&]() REQUIRES(mutex_) { return failed_ || slots_.size() < limit; });
  return failed_ || slots_.size() >= limit ? 0 : limit - slots_.size();
}

bool Window::WaitUntilAnswered(Clock::time_point until) {
  MutexLock lock(mutex_);
  return changed_.WaitUntil(lock, until, [&]() REQUIRES(mutex_) { return unanswered_ == 0; });
}

std::optional<Window::Stuck> Window::Head() const {
  const MutexLock lock(mutex_);
  REG_CHECK(unanswered_ == 0);
  if (slots_.empty()) return std::nullopt;
  const auto failures =
      std::count_if(slots_.begin(), slots_.end(), [](const Slot& s) { return !s.confirmed; });
  return Stuck{slots_.front().seq, slots_.front().failure, failures == 1, slots_.back().seq};
}

// Counts as confirmed: what was confirmed right behind it comes free with it.
void Window::Pass(ledger::Seq seq) {
  const MutexLock lock(mutex_);
  REG_CHECK(unanswered_ == 0 && !slots_.empty() && slots_.front().seq == seq);
  slots_.front().confirmed = true;
  MoveCursor();
}

// Confirmed entries behind the first failure are forgotten too and leave again: a receiver that has the failed one after
// them would otherwise see old after new.
void Window::Rewind() {
  const MutexLock lock(mutex_);
  REG_CHECK(unanswered_ == 0);
  slots_.clear();
  last_ = cursor_;
  failed_ = false;
}

}  // namespace registry::outbox
