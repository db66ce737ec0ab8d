#include "bridge/ingest/register_guard.h"

namespace registry::ingest {

RegisterGuard::Window* RegisterGuard::Open(const PartyId& party, UtcTime now) {
  const auto window = windows_.find(party);
  if (window == windows_.end()) return nullptr;
  // A clock that was set back must not lock anybody out.
  if (now >= window->second.begin && now - window->second.begin < kWindow) return &window->second;
  windows_.erase(window);
  return nullptr;
}

Status RegisterGuard::MayRegister(const PartyId& party, UtcTime now) {
  const MutexLock lock(mutex_);
  const Window* const window = Open(party, now);
  if (window == nullptr || window->refusals < kRefusalsMax) return Done{};
  Error error = Error::Make(Code::kLimit, "esim_refusals_too_many",
                            "too many eSIMs that are not to be had; send the command again with the same id");
  const auto left = std::chrono::ceil<std::chrono::seconds>(window->begin + kWindow - now);
  error.retry_after_seconds = static_cast<int>(left.count());
  return error;
}

void RegisterGuard::Refused(const PartyId& party, UtcTime now) {
  const MutexLock lock(mutex_);
  Window* const window = Open(party, now);
  if (window != nullptr) {
    ++window->refusals;
  } else {
    windows_[party] = {now, 1};
  }
}

}  // namespace registry::ingest
