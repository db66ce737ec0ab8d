// bridge/ingest/lanes.h: a fixed set of threads; work with the same key runs on one of them, one sender's in order, the
// senders' in turn: whoever posts much stands before nobody else.
// Owns its threads. Post blocks while queue_max pieces of work wait (back-pressure to the broker) and answers false once
// stopping. Stop lets what was posted (every Post that answers true) finish until the deadline, drops the rest and
// joins. Safe from any thread but a lane.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "bridge/ingest/fair_queue.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

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
    Mutex mutex;
    CondVar wake;
    FairQueue<Work> queue GUARDED_BY(mutex){1};
    OwnThread thread{mutex, wake};
  };
  void Run(Lane& lane);
  void Taken();

  const std::size_t queue_max_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<std::size_t> queued_{0};  // posted and not finished
  Mutex space_mutex_;
  CondVar space_;
  bool closing_ GUARDED_BY(space_mutex_) = false;
  std::atomic<bool> dropping_{false};
};

}  // namespace registry::ingest
