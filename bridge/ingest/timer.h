// bridge/ingest/timer.h: calls one function again and again, period after period, or sooner when woken.
// Owns its thread from Start to Stop. Stop waits for a call under way; it may come more than once, Start only once.
#pragma once

#include <chrono>
#include <functional>

#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::ingest {

class Timer {
 public:
  ~Timer() { Stop(); }
  void Start(std::chrono::milliseconds period, std::function<void()> call);
  void Wake();  // from any thread; what comes during a call is one more call behind it
  void Stop() { thread_.Stop(); }

 private:
  void Run(std::chrono::milliseconds period, const std::function<void()>& call);

  Mutex mutex_;
  CondVar wake_;
  bool woken_ GUARDED_BY(mutex_) = false;
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::ingest
