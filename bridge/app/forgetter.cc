#include "bridge/app/forgetter.h"

namespace registry::app {
namespace {

constexpr std::chrono::milliseconds kEvery{1000};

}  // namespace

Forgetter::Forgetter(ledger::Ledger& ledger, int event_days, const Clock& clock, LogLine log)
    : retention_(ledger, event_days), clock_(clock), log_(std::move(log)) {}

void Forgetter::Start() {
  thread_.Start("retention", [this] { Run(); });
}

void Forgetter::Run() {
  MutexLock lock(mutex_);
  do {
    lock.Unlock();
    Look();
    lock.Lock();
  } while (thread_.Rest(lock, kEvery));
}

void Forgetter::Look() {
  const auto now = SayOnce::Steady::now();
  const auto looked = retention_.Tick(clock_.Now(), now);
  if (looked) return said_.Forget();
  const std::string line = "event marks are not forgotten: " + looked.error().message;
  if (said_.Due(line, now)) log_.Error(line);
}

}  // namespace registry::app
