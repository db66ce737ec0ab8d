#include "bridge/ingest/timer.h"

namespace registry::ingest {

void Timer::Start(std::chrono::milliseconds period, std::function<void()> call) {
  thread_.Start("timer", [this, period, call = std::move(call)] { Run(period, call); });
}

void Timer::Run(std::chrono::milliseconds period, const std::function<void()>& call) {
  MutexLock lock(mutex_);
  while (true) {
    thread_.WaitFor(lock, period, [this]() REQUIRES(mutex_) { return woken_; });
    if (thread_.stopping()) return;
    woken_ = false;
    lock.Unlock();
    call();
    lock.Lock();
  }
}

void Timer::Wake() {
  {
    const MutexLock lock(mutex_);
    woken_ = true;
  }
  wake_.NotifyAll();
}

}  // namespace registry::ingest
