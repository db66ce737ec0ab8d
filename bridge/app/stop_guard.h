// bridge/app/stop_guard.h: ends the process when an end that was begun does not come to its end, as with a disk that no
// longer answers. Nothing acknowledged is lost by that: it is what kill -9 would do.
// Owns: one thread from Arm on. Threads: Arm, Disarm and the end from one after the other. Limit: `within`, from Arm on.
#pragma once

#include <unistd.h>

#include <chrono>

#include "bridge/app/log.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::app {

class StopGuard {
 public:
  // `status`: of the process' exit then.
  StopGuard(Log& log, std::chrono::seconds within, int status)
      : log_(log), within_(within), status_(status) {}
  void Arm() {
    if (thread_.running()) return;
    thread_.Start("stop-guard", [this] {
      MutexLock lock(mutex_);
      if (!thread_.Rest(lock, within_)) return;
      log_.Write(Level::kError, "app", "the stop does not come to its end, ending without it");
      _exit(status_);
    });
  }
  void Disarm() { thread_.Stop(); }

 private:
  Log& log_;
  const std::chrono::seconds within_;
  const int status_;
  Mutex mutex_;
  CondVar wake_;
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::app
