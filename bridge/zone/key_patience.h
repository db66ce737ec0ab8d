// bridge/zone/key_patience.h: how long a signature of the zone waits for a key that is away (a token that was pulled while
// a version was being signed): until it is back, or nobody wants the zone any more. A version is made whole or not at
// all, so what was begun waits; a new one is not begun without its keys (publisher.h).
// Threads: any. Owns: nothing. Errors: none.
#pragma once

#include <chrono>
#include <optional>

#include "schemas/base/mutex.h"

namespace registry::zone {

class KeyPatience {
 public:
  using Steady = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kPause{500};

  // False: it is given up, and what was being made is not to be served.
  bool Wait() {
    MutexLock lock(mutex_);
    if (until_ && Steady::now() >= *until_) over_ = true;
    if (!over_) changed_.WaitFor(lock, kPause);
    return !over_;
  }
  // At a start nobody is served yet, and whoever starts it has to hear that it does not begin.
  void EndIn(std::chrono::seconds time) {
    const MutexLock lock(mutex_);
    until_ = Steady::now() + time;
  }
  void Endless() {
    const MutexLock lock(mutex_);
    until_.reset();
  }
  void GiveUp() {
    const MutexLock lock(mutex_);
    over_ = true;
    changed_.NotifyAll();
  }
  // Whether a signature was given up; GiveUp alone ends nothing that did not wait.
  void Miss() {
    const MutexLock lock(mutex_);
    missed_ = true;
  }
  bool missed() const {
    const MutexLock lock(mutex_);
    return missed_;
  }

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  std::optional<Steady::time_point> until_ GUARDED_BY(mutex_);
  bool over_ GUARDED_BY(mutex_) = false, missed_ GUARDED_BY(mutex_) = false;
};

}  // namespace registry::zone
