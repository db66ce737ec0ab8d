#include "bridge/ledger/outbox_tail.h"

namespace registry::ledger {

void OutboxTail::Reach(const Ends& ends) {
  {
    const std::lock_guard lock(mutex_);
    if (ends == ends_) return;
    ends_ = ends;
  }
  grown_.notify_all();
}

Seq OutboxTail::Last(Sink sink) const {
  const std::lock_guard lock(mutex_);
  return ends_[IndexOf(sink)];
}

Seq OutboxTail::WaitBehind(Sink sink, Seq after, std::chrono::milliseconds wait) const {
  std::unique_lock lock(mutex_);
  const Seq& end = ends_[IndexOf(sink)];
  const std::uint64_t wakes = wakes_;
  if (wait.count() > 0) grown_.wait_for(lock, wait, [&] { return end > after || wakes_ != wakes; });
  return end;
}

void OutboxTail::WakeAll() {
  {
    const std::lock_guard lock(mutex_);
    ++wakes_;
  }
  grown_.notify_all();
}

}  // namespace registry::ledger
