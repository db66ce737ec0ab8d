// bridge/outbox/on_the_way.h: how many messages to parties that take batches are out and not yet confirmed. With a few of
// them out the rest waits and piles up, so that it travels together; with none out nothing waits.
// Held by shared_ptr, since a confirmation may come after the relay has gone. Threads: any.
#pragma once

#include <chrono>
#include <cstddef>

#include "schemas/base/mutex.h"

namespace registry::outbox {

class OnTheWay {
 public:
  void Left() {
    const MutexLock lock(mutex_);
    ++count_;
  }
  void Answered() {
    {
      const MutexLock lock(mutex_);
      --count_;
    }
    fewer_.NotifyAll();
  }
  // False when there are still as many at `until`.
  bool WaitBelow(std::size_t limit, std::chrono::steady_clock::time_point until) {
    MutexLock lock(mutex_);
    return fewer_.WaitUntil(lock, until, [&]() REQUIRES(mutex_) { return count_ < limit; });
  }

 private:
  Mutex mutex_;
  CondVar fewer_;
  std::size_t count_ GUARDED_BY(mutex_) = 0;
};

}  // namespace registry::outbox
