#include "bridge/ingest/pace.h"

#include <algorithm>

namespace registry::ingest {

void Pace::Waited(std::chrono::steady_clock::duration wait, Time now) {
  if (wait > kPatience) impatient_.store(now, std::memory_order_relaxed);
}

std::uint32_t Pace::Divisor(Time now) {
  auto passed = (now - looked_) / kLookEvery;
  if (passed < 1) return divisor_;
  looked_ += passed * kLookEvery;
  const bool impatient = impatient_.load(std::memory_order_relaxed) >= looked_ - kLookEvery;
  if (impatient) --passed;
  for (; passed > 0 && divisor_ > 1; --passed) divisor_ /= 2;
  if (impatient) divisor_ = std::min(divisor_ * 2, kSlowest);
  return divisor_;
}

}  // namespace registry::ingest
