#include "bridge/ledger/outbox_tail.h"

namespace registry::ledger {

void OutboxTail::Reach(const Ends& ends) {
  {
    const MutexLock lock(mutex_);
    if (ends == ends_) return;
    ends_ = ends;
  }
  grown_.NotifyAll();
}

Seq OutboxTail::Last(Sink sink) const {
  const MutexLock lock(mutex_);
  return ends_[IndexOf(sink)];
}

Seq OutboxTail::WaitBehind(Sink sink, Seq after, std::chrono::milliseconds wait) const {
  MutexLock lock(mutex_);
  const std::size_t which = IndexOf(sink);
  const std::uint64_t wakes = wakes_;
  const auto moved = [&]() REQUIRES(mutex_) { return ends_[which] > after || wakes_ != wakes; };
  if (wait.count() > 0) grown_.WaitFor(lock, wait, moved);
  return ends_[which];
}

void OutboxTail::WakeAll() {
  {
    const MutexLock lock(mutex_);
    ++wakes_;
  }
  grown_.NotifyAll();
}

}  // namespace registry::ledger
