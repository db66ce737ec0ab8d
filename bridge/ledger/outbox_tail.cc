#include "bridge/ledger/outbox_tail.h"

#include <utility>

namespace registry::ledger {

void OutboxTail::Reach(const Ends& ends) {
  Ends before;
  {
    const MutexLock lock(mutex_);
    before = std::exchange(ends_, ends);
  }
  for (std::size_t sink = 0; sink < ends.size(); ++sink) {
    if (ends[sink] != before[sink]) grown_[sink].NotifyAll();
  }
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
  if (wait.count() > 0) grown_[which].WaitFor(lock, wait, moved);
  return ends_[which];
}

void OutboxTail::WakeAll() {
  {
    const MutexLock lock(mutex_);
    ++wakes_;
  }
  for (CondVar& grown : grown_) grown.NotifyAll();
}

}  // namespace registry::ledger
