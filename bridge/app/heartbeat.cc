#include "bridge/app/heartbeat.h"

#include "bridge/thread_name.h"

namespace registry::app {

Heartbeat::Heartbeat(Options options, std::function<Status()> write)
    : options_(std::move(options)), write_(std::move(write)), last_good_(options_.now()) {}

Heartbeat::~Heartbeat() { Stop(); }

void Heartbeat::Start() {
  {
    std::lock_guard lock(mutex_);
    last_good_ = options_.now();
  }
  thread_ = std::thread(UnderName("heartbeat", [this] { Run(); }));
}

void Heartbeat::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Heartbeat::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_ && !refused_) {
    lock.unlock();
    const bool good = write_().ok();
    lock.lock();
    refused_ = !good;
    if (good) last_good_ = options_.now();
    wake_.wait_for(lock, options_.every, [this] { return stopping_; });
  }
}

Pulse Heartbeat::state() const {
  std::lock_guard lock(mutex_);
  if (refused_) return Pulse::kRefused;
  return options_.now() - last_good_ < options_.deadline ? Pulse::kBeating : Pulse::kStalled;
}

}  // namespace registry::app
