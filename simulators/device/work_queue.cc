#include "simulators/device/work_queue.h"

namespace registry::sim {

WorkQueue::WorkQueue(std::size_t threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

void WorkQueue::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool WorkQueue::Offer(Work work) {
  {
    const MutexLock lock(mutex_);
    if (work_.size() >= waiting_max_) return false;
    if (!stopping_) work_.emplace(Clock::now(), std::move(work));
  }
  changed_.NotifyOne();
  return true;
}

void WorkQueue::PostAt(Clock::time_point due, Work work) {
  {
    const MutexLock lock(mutex_);
    if (stopping_) return;
    work_.emplace(due, std::move(work));
  }
  changed_.NotifyOne();
}

void WorkQueue::Run() {
  MutexLock lock(mutex_);
  while (!stopping_) {
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
