#include "simulators/device/work_queue.h"

namespace registry::sim {

WorkQueue::WorkQueue(std::size_t threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
  threads_.Start(
      "work", [this] { Run(); }, threads);
}

bool WorkQueue::Offer(Work work) {
  {
    const MutexLock lock(mutex_);
    if (work_.size() >= waiting_max_) return false;
    if (!threads_.stopping()) work_.emplace(Clock::now(), std::move(work));
  }
  changed_.NotifyOne();
  return true;
}

void WorkQueue::PostAt(Clock::time_point due, Work work) {
  {
    const MutexLock lock(mutex_);
    if (threads_.stopping()) return;
    work_.emplace(due, std::move(work));
  }
  changed_.NotifyOne();
}

void WorkQueue::Run() {
  MutexLock lock(mutex_);
  while (!threads_.stopping()) {
    if (work_.empty()) {
      changed_.Wait(lock);
      continue;
    }
    const auto first = work_.begin();
    if (first->first > Clock::now()) {
      const auto due = first->first;
      changed_.WaitUntil(lock, due);
      continue;
    }
    const Work work = std::move(first->second);
    work_.erase(first);
    lock.Unlock();
    work();
    lock.Lock();
  }
}

}  // namespace registry::sim
