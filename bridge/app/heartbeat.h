// bridge/app/heartbeat.h: whether the ledger still writes, found out by writing: one small synced write every
// `every`, on a thread of its own, so that whoever asks never waits for a disk.
// Owns: one thread. Start again changes nothing; Stop once; state() from any thread.
// A write that does not come back makes the state kStalled once the last good one is `deadline` old, and
// kBeating again when it does. A write that is refused makes it kRefused for good (ledger.h: the backend then
// refuses everything until it is opened again). Stop waits for the write that is under way.
#pragma once

#include <chrono>
#include <functional>

#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "schemas/base/result.h"

namespace registry::app {

enum class Pulse { kBeating, kStalled, kRefused };

class Heartbeat {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    std::chrono::milliseconds every{2000};
    std::chrono::milliseconds deadline{5000};
    std::function<Clock::time_point()> now = [] { return Clock::now(); };
  };

  Heartbeat(Options options, std::function<Status()> write);
  void Start();
  void Stop() { thread_.Stop(); }
  Pulse state() const;
  void BeatNow();  // rather than at its time

 private:
  void Run();

  const Options options_;
  const std::function<Status()> write_;
  mutable Mutex mutex_;
  CondVar wake_;
  Clock::time_point last_good_ GUARDED_BY(mutex_);
  bool refused_ GUARDED_BY(mutex_) = false;
  bool asked_ GUARDED_BY(mutex_) = false;
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::app
