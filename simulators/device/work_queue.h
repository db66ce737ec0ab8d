// simulators/device/work_queue.h: a bounded number of threads for any number of devices; work now, or after a delay.
// Owns: its threads; Stop (and the destructor) ends them after what runs now and forgets the rest.
// Threads: all calls from any thread, also from work.
// Limits: Offer, for work that comes from outside, refuses what would make more than waiting_max wait. Post always
//   takes: it is for the owner's own continuations, which are as many as its devices.
#pragma once

#include <chrono>
#include <functional>
#include <map>

#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::sim {

class WorkQueue {
 public:
  using Clock = std::chrono::steady_clock;
  using Work = std::function<void()>;

  static constexpr std::size_t kWaitingMax = 100'000;

  explicit WorkQueue(std::size_t threads, std::size_t waiting_max = kWaitingMax);
  ~WorkQueue() { Stop(); }
  bool Offer(Work work);  // false: too much waits already
  void Post(Work work) { PostAt(Clock::now(), std::move(work)); }
  void PostAfter(std::chrono::milliseconds delay, Work work) {
    PostAt(Clock::now() + delay, std::move(work));
  }
  void Stop() { threads_.Stop(); }

 private:
  void PostAt(Clock::time_point due, Work work);
  void Run();

  const std::size_t waiting_max_;
  Mutex mutex_;
  CondVar changed_;
  std::multimap<Clock::time_point, Work> work_ GUARDED_BY(mutex_);
  OwnThread threads_{mutex_, changed_};
};

}  // namespace registry::sim
