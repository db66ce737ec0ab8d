#include "bridge/ledger/lease.h"

#include <ctime>

namespace registry::ledger {

Lease::Span Lease::Now() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// Later proofs only: two threads may say theirs in either order.
void Lease::Proved(Span begun) {
  Span::rep known = proved_;
  while (begun.count() > known && !proved_.compare_exchange_weak(known, begun.count())) {
  }
}

Lease::State Lease::StateAt(Span now) const {
  const Span age = now - proved();
  if (age < lasts_ / 2) return State::kFresh;
  return age < lasts_ * 3 / 4 ? State::kAgeing : State::kOver;
}

}  // namespace registry::ledger
