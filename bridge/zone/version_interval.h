// bridge/zone/version_interval.h: when the next version of the zone may leave. A transfer costs a secondary a fixed amount
// beside what its changes cost, so changes that come thick travel together: I is how long a version waits after the
// announcement of the one before, and T how long the slowest reachable secondary usually needs from announcement to
// service.
//   I = clamp(min(20·T, 900 ms − 2·T), 0, 500 ms)
// 20·T holds a dear secondary at a twentieth of its time and keeps a cheap one quick. 900 ms − 2·T gives the time back
// when transfers get long, for a change waits at most max(I, T) and then T. The first change after a quiet I leaves at
// once.
// A version that takes a record out of the zone may jump the interval, once in kRevocationPause: a single revocation does
// not wait, and a wave of them is no other load than any wave.
// Threads: the publishing thread only.
#pragma once

#include <chrono>
#include <optional>

namespace registry::zone {

inline constexpr std::chrono::milliseconds kIntervalMax{500};
inline constexpr std::chrono::seconds kRevocationPause{1};

class VersionInterval {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  static Duration Length(Duration usual_delay);

  // How long what waits has to wait yet; zero: it may leave.
  Duration Rest(Time now, Duration usual_delay, bool revokes) const;
  // When the last version was announced; the clock's own beginning before the first.
  Time begun() const { return announced_.value_or(Time()); }
  void Announced(Time now, Duration usual_delay, bool revokes);

 private:
  bool MayJump(Time now) const { return !jumped_ || now - *jumped_ >= kRevocationPause; }

  std::optional<Time> announced_, jumped_;
};

}  // namespace registry::zone
