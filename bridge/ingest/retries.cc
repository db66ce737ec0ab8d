#include "bridge/ingest/retries.h"

#include <algorithm>

namespace registry::ingest {
namespace {

constexpr std::chrono::milliseconds kRetryMax{60'000};

}  // namespace

void Retries::Add(std::shared_ptr<Taken> taken, Clock::time_point now) {
  const auto at = now + taken->retry_after;
  taken->retry_after = std::min(taken->retry_after * 2, kRetryMax);
  const MutexLock lock(mutex_);
  waiting_.emplace(at, std::move(taken));
}

std::vector<std::shared_ptr<Taken>> Retries::TakeDue(Clock::time_point now) {
  std::vector<std::shared_ptr<Taken>> due;
  const MutexLock lock(mutex_);
  const auto end = waiting_.upper_bound(now);
  for (auto it = waiting_.begin(); it != end; ++it) due.push_back(std::move(it->second));
  waiting_.erase(waiting_.begin(), end);
  return due;
}

}  // namespace registry::ingest
