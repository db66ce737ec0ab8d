// schemas/base/own_thread.h: a thread that belongs to one object: its name, its start, its stop, and how it waits.
// What the thread works on, and the lock over that, are its owner's: a stop is told under that lock and wakes whoever
// waits at that condition, so that no wait can miss it.
//   Mutex mutex_;
//   CondVar changed_;
//   std::deque<Work> queue_ GUARDED_BY(mutex_);
//   OwnThread thread_{mutex_, changed_};  // last: ends before what it uses
// Owns: its threads, mostly one. Mutex and condition outlive it.
// Threads: Start and Stop from the owner's thread. Stop, and the end of this object, wait for the body to return, which
//   looks at stopping() often enough. Stop may come again, and before Start. The rest from any thread.
// Names: at most 15 octets (schemas/base/thread_name.h); bridge/README.md says what each thread of registryd is for.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "schemas/base/check.h"
#include "schemas/base/mutex.h"
#include "schemas/base/thread_name.h"

namespace registry {

class OwnThread {
 public:
  using Body = std::function<void()>;

  OwnThread(Mutex& mutex, CondVar& changed) : mutex_(&mutex), changed_(&changed) {}
  OwnThread() = default;  // for one that waits for something else, as a socket
  ~OwnThread() { Stop(); }
  OwnThread(const OwnThread&) = delete;
  OwnThread& operator=(const OwnThread&) = delete;

  // `count` threads run the same body under the same name. Not while it runs; after a Stop again.
  template <std::size_t kSize>
  void Start(const char (&name)[kSize], const Body& body, std::size_t count = 1) {
    REG_CHECK(threads_.empty());
    stopping_ = false;
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back(UnderName(name, body));
  }
  bool running() const { return !threads_.empty(); }  // started and not yet stopped; for the owner

  // `wake` ends a wait for something else.
  void Stop(const std::function<void()>& wake = {}) {
    TellStop();
    if (wake) wake();
    threads_.clear();  // joins
  }
  bool stopping() const { return stopping_; }

  // Until `ready`, or a stop. `ready` is asked with the lock held, which clang cannot see from here.
  template <typename Ready>
  void Wait(MutexLock& lock, Ready ready) {
    changed_->Wait(lock, [&]() NOT_PROVED { return stopping() || ready(); });
  }
  // The same, for at most `time`.
  template <typename Duration, typename Ready>
  void WaitFor(MutexLock& lock, Duration time, Ready ready) {
    (void)changed_->WaitFor(lock, time, [&]() NOT_PROVED { return stopping() || ready(); });
  }
  // True after `time`; false as soon as it is to stop.
  template <typename Duration>
  bool Rest(MutexLock& lock, Duration time) {
    return !changed_->WaitFor(lock, time, [this] { return stopping(); });
  }

 private:
  void TellStop() {
    if (mutex_ == nullptr) {
      stopping_ = true;
      return;
    }
    {
      const MutexLock lock(*mutex_);
      stopping_ = true;
    }
    changed_->NotifyAll();
  }

  Mutex* const mutex_ = nullptr;
  CondVar* const changed_ = nullptr;
  std::atomic<bool> stopping_{false};  // for all of them; each std::jthread has a token of its own
  std::vector<std::jthread> threads_;
};

}  // namespace registry
