// bridge/zone/key_patience.h: how long a signature of the zone waits for a key that is away (a token that was pulled while
// a version was being signed): until it is back, or nobody wants the zone any more. A version is made whole or not at
// all, so what was begun waits; a new one is not begun without its keys (publisher.h).
// Why it waits is said once a minute. Threads: any. Owns: nothing. Errors: none.
#pragma once

#include <chrono>
#include <optional>

#include "bridge/log_line.h"
#include "bridge/say_once.h"
#include "schemas/base/error.h"
#include "schemas/base/mutex.h"

namespace registry::zone {

class KeyPatience {
 public:
  using Steady = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kPause{500};

  // False: it is given up, and what was being made is not to be served.
  bool Wait(const Error& why, Steady::time_point since) {
    MutexLock lock(mutex_);
    const auto now = Steady::now();
    if (within_ && now >= since + *within_) over_ = true;
    if (over_) return false;
    const std::string line = "zone: a signature waits for its key: " + why.message;
    if (said_.Due(line, now)) log_.Error(line);
    changed_.WaitFor(lock, kPause);
    return !over_;
  }
  // At a start nobody is served yet, and whoever starts it has to hear that it does not begin: each signature waits so long.
  void EndIn(std::chrono::seconds time) {
    const MutexLock lock(mutex_);
    within_ = time;
  }
  void Endless() {
    const MutexLock lock(mutex_);
    within_.reset();
  }
  void SayTo(LogLine log) {
    const MutexLock lock(mutex_);
    log_ = std::move(log);
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
  std::optional<std::chrono::seconds> within_ GUARDED_BY(mutex_);
  LogLine log_ GUARDED_BY(mutex_);
  SayOnce said_ GUARDED_BY(mutex_);
  bool over_ GUARDED_BY(mutex_) = false, missed_ GUARDED_BY(mutex_) = false;
};

}  // namespace registry::zone
