// simulators/device/work_queue.h: a bounded number of threads for any number of devices; work now, or after a
// delay.
// Owns: its threads; Stop (and the destructor) ends them after what runs now and forgets the rest.
// Threads: all calls from any thread, also from work.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace registry::sim {

class WorkQueue {
 public:
  using Clock = std::chrono::steady_clock;
  using Work = std::function<void()>;

  explicit WorkQueue(std::size_t threads);
  ~WorkQueue() { Stop(); }
  void Post(Work work) { PostAt(Clock::now(), std::move(work)); }
  void PostAfter(std::chrono::milliseconds delay, Work work) {
    PostAt(Clock::now() + delay, std::move(work));
  }
  void Stop();

 private:
  void PostAt(Clock::time_point due, Work work);
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, Work> work_;  // guarded by mutex_
  bool stopping_ = false;                        // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace registry::sim
