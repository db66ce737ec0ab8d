#include "bridge/ingest/pace.h"

#include <algorithm>

namespace registry::ingest {

void Pace::Waited(std::chrono::steady_clock::duration wait) {
  if (wait > kPatience) impatient_.store(true, std::memory_order_relaxed);
}

std::uint32_t Pace::Divisor(Time now) {
  if (now - looked_ < kLookEvery) return divisor_;
  looked_ = now;
  const bool impatient = impatient_.exchange(false, std::memory_order_relaxed);
  divisor_ = impatient ? std::min(divisor_ * 2, kSlowest) : std::max(divisor_ / 2, 1u);
  return divisor_;
}

}  // namespace registry::ingest
