#include "bridge/app/heartbeat.h"

namespace registry::app {

Heartbeat::Heartbeat(Options options, std::function<Status()> write)
    : options_(std::move(options)), write_(std::move(write)), last_good_(options_.now()) {}

void Heartbeat::Start() {
  if (thread_.running()) return;
  {
    const MutexLock lock(mutex_);
    last_good_ = options_.now();
  }
  thread_.Start("heartbeat", [this] { Run(); });
}

void Heartbeat::Run() {
  MutexLock lock(mutex_);
  while (!thread_.stopping() && !refused_) {
    lock.Unlock();
    const bool good = write_().ok();
    lock.Lock();
    refused_ = !good;
    if (good) last_good_ = options_.now();
    thread_.WaitFor(lock, options_.every, [this]() REQUIRES(mutex_) { return asked_; });
    asked_ = false;
  }
}

void Heartbeat::BeatNow() {
  const MutexLock lock(mutex_);
  asked_ = true;
  wake_.NotifyAll();
}

Pulse Heartbeat::state() const {
  const MutexLock lock(mutex_);
  if (refused_) return Pulse::kRefused;
  return options_.now() - last_good_ < options_.deadline ? Pulse::kBeating : Pulse::kStalled;
}

}  // namespace registry::app
