#include "bridge/zone/version_interval.h"

#include <algorithm>

namespace registry::zone {
namespace {

constexpr std::chrono::milliseconds kVisibleGoal{900};  // a change is served within it, as long as T allows

}  // namespace

VersionInterval::Duration VersionInterval::Length(Duration usual_delay) {
  const Duration wished = std::min<Duration>(20 * usual_delay, kVisibleGoal - 2 * usual_delay);
  return std::clamp<Duration>(wished, Duration::zero(), kIntervalMax);
}

VersionInterval::Duration VersionInterval::Rest(Time now, Duration usual_delay, bool revokes) const {
  if (!announced_ || (revokes && MayJump(now))) return Duration::zero();
  return std::max(Duration::zero(), *announced_ + Length(usual_delay) - now);
}

void VersionInterval::Announced(Time now, Duration usual_delay, bool revokes) {
  if (revokes && Rest(now, usual_delay, false) > Duration::zero()) jumped_ = now;
  announced_ = now;
}

}  // namespace registry::zone
