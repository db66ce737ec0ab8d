#include "bridge/mqtt/backoff.h"

#include <algorithm>

namespace registry::mqtt {

Backoff::Backoff(std::chrono::milliseconds min, std::chrono::milliseconds max, std::uint64_t seed)
    : min_(min), max_(max), step_(min), random_(seed) {}

std::chrono::milliseconds Backoff::Next() {
  std::uniform_int_distribution<std::int64_t> within(step_.count() / 2, step_.count());
  const std::chrono::milliseconds wait(within(random_));
  step_ = std::min(step_ * 2, max_);
  return wait;
}

}  // namespace registry::mqtt
