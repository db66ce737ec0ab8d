// bridge/ingest/timer.h: calls one function again and again, period after period, or sooner when woken.
// Owns its thread from Start to Stop. Stop waits for a call under way; it may come more than once, Start only once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace registry::ingest {

class Timer {
 public:
  ~Timer() { Stop(); }
  void Start(std::chrono::milliseconds period, std::function<void()> call);
  void Wake();  // from any thread; what comes during a call is one more call behind it
  void Stop();

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false, woken_ = false;
  std::thread thread_;
};

}  // namespace registry::ingest
