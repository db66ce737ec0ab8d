#include "bridge/outbox/window.h"

#include <algorithm>

namespace registry::outbox {

// A slot lives from Sent until everything up to it is confirmed, so the deque begins right behind the cursor and its
// length is what a restart would carry again. `unanswered_` is less: it does not count slots that are confirmed and wait
// for an earlier one.
bool Window::Sent(const Seqs& seqs) {
  const MutexLock lock(mutex_);
  if (failed_) return false;
  for (const ledger::Seq seq : seqs) {
    REG_CHECK(seq > last_);
    slots_.push_back({seq});
    last_ = seq;
    ++unanswered_;
  }
  return true;
}

Window::Slot& Window::SlotOf(ledger::Seq seq) {
  const auto slot = std::lower_bound(slots_.begin(), slots_.end(), seq,
                                     [](const Slot& a, ledger::Seq b) { return a.seq < b; });
  REG_CHECK(slot != slots_.end() && slot->seq == seq && slot->state == State::kOut && unanswered_ > 0);
  return *slot;
}

void Window::Answered(const Seqs& seqs, const Publisher::Receipt& answer) {
  {
    const MutexLock lock(mutex_);
    const bool taken = answer.fate == Publisher::Fate::kTaken;
    failed_ = failed_ || !taken;
    for (const ledger::Seq seq : seqs) {
      Slot& slot = SlotOf(seq);
      slot.state = taken ? State::kConfirmed : State::kFailed;
      if (!taken) slot.failure = answer;
      --unanswered_;
    }
    MoveCursor();
  }
  changed_.NotifyAll();
}

// Those at the end are forgotten. Others stand before entries of which some may be confirmed, and the cursor must not
// pass them.
void Window::NotTaken(const Seqs& seqs) {
  {
    const MutexLock lock(mutex_);
    for (const ledger::Seq seq : seqs) {
      SlotOf(seq).state = State::kNotTaken;
      --unanswered_;
    }
    while (!slots_.empty() && slots_.back().state == State::kNotTaken) slots_.pop_back();
    last_ = slots_.empty() ? cursor_ : slots_.back().seq;
    failed_ = true;
  }
  changed_.NotifyAll();
}

void Window::MoveCursor() {
  while (!slots_.empty() && slots_.front().state == State::kConfirmed) {
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
  if (slots_.empty() || slots_.front().state == State::kNotTaken) return std::nullopt;
  const auto failures =
      std::count_if(slots_.begin(), slots_.end(), [](const Slot& s) { return s.state == State::kFailed; });
  return Stuck{slots_.front().seq, slots_.front().failure, failures == 1, slots_.back().seq};
}

// Counts as confirmed: what was confirmed right behind it comes free with it.
void Window::Pass(ledger::Seq seq) {
  const MutexLock lock(mutex_);
  REG_CHECK(unanswered_ == 0 && !slots_.empty() && slots_.front().seq == seq);
  slots_.front().state = State::kConfirmed;
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
