#include "bridge/app/token_watch.h"

#include <algorithm>

namespace registry::app {
namespace {

constexpr std::chrono::milliseconds kTokensEvery{2000};

}  // namespace

TokenWatch::TokenWatch(LogLine log, std::function<States()> look)
    : log_(std::move(log)), look_(std::move(look)) {}

// Keys are opened before, and none later.
void TokenWatch::Start() {
  Look();
  if (!states().empty()) thread_.Start("tokens", [this] { Run(); });
}

void TokenWatch::Run() {
  MutexLock lock(mutex_);
  while (thread_.Rest(lock, kTokensEvery)) {
    lock.Unlock();
    Look();
    lock.Lock();
  }
}

void TokenWatch::Look() {
  States now = look_();
  const States before = states();
  const bool well = std::ranges::all_of(now, [](const auto& one) { return one.trouble.empty(); });
  for (const auto& state : now) {
    const bool was_lost = std::ranges::any_of(
        before, [&](const auto& one) { return one.token == state.token && !one.trouble.empty(); });
    if (was_lost && state.trouble.empty()) log_.Info(state.token + " is back, its keys sign again");
    // By the token alone: what it says of its trouble may change with each look.
    if (!state.trouble.empty() && said_.Due(state.token, SayOnce::Steady::now()))
      log_.Error("keys cannot sign: " + state.trouble);
  }
  if (well) said_.Forget();
  const MutexLock lock(mutex_);
  states_ = std::move(now);
}

TokenWatch::States TokenWatch::states() const {
  const MutexLock lock(mutex_);
  return states_;
}

}  // namespace registry::app
