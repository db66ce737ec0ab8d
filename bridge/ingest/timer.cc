#include "bridge/ingest/timer.h"

#include "bridge/thread_name.h"

namespace registry::ingest {

void Timer::Start(std::chrono::milliseconds period, std::function<void()> call) {
  thread_ = std::thread(UnderName("timer", [this, period, call = std::move(call)] {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait_for(lock, period, [this] { return stopping_ || woken_; });
      if (stopping_) return;
      woken_ = false;
      lock.unlock();
      call();
      lock.lock();
    }
  }));
}

void Timer::Wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_all();
}

void Timer::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace registry::ingest
