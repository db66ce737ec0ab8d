// bridge/ingest/lanes.h: a fixed set of threads; work with the same key runs on one of them, one sender's in order, the
// senders' in turn: whoever posts much stands before nobody else.
// Owns its threads. Post blocks while queue_max pieces of work wait (back-pressure to the broker) and answers false once
// stopping. Stop lets what was posted (every Post that answers true) finish until the deadline, drops the rest and
// joins. Safe from any thread but a lane.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "bridge/ingest/fair_queue.h"

namespace registry::ingest {

class Lanes {
 public:
  using Work = std::function<void()>;
  Lanes(std::size_t count, std::size_t queue_max);
  ~Lanes();
  bool Post(std::size_t key, const std::string& sender, Work work);
  void Stop(std::chrono::milliseconds deadline);
  std::size_t queued() const { return queued_.load(); }

 private:
  struct Lane {
    std::mutex mutex;
    std::condition_variable wake;
    FairQueue<Work> queue{1};
    std::thread thread;
  };
  void Run(Lane& lane);
  void Taken();

  const std::size_t queue_max_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<std::size_t> queued_{0};  // posted and not finished
  std::mutex space_mutex_;
  std::condition_variable space_;
  std::atomic<bool> closing_{false}, dropping_{false};
};

}  // namespace registry::ingest
