// bridge/zone/owed_versions.h: the versions that a secondary has been told of and does not serve, and since when: how far it
// is behind. One that takes every version, each a little later, is behind by that little, however long it goes on.
// Limits: kKept versions; later ones then count as told with the last of these, so that it is never taken for less behind.
// Plain value, one thread. Spec: RFC 1982 §3.2.
#pragma once

#include <chrono>
#include <deque>

#include "bridge/zone/wire.h"

namespace registry::zone {

class OwedVersions {
 public:
  using Steady = std::chrono::steady_clock;
  static constexpr std::size_t kKept = 64;

  void Told(std::uint32_t serial, Steady::time_point now) {
    if (!owed_.empty() && owed_.back().serial == serial) return;
    if (owed_.size() < kKept) return owed_.push_back({serial, now});
    owed_.back().serial = serial;
  }
  // It serves this one, and so all before it.
  void Serves(std::uint32_t serial) {
    while (!owed_.empty() && !SerialAhead(owed_.front().serial, serial)) owed_.pop_front();
  }
  // It has gone back behind this one.
  void Lost(std::uint32_t serial, Steady::time_point now) { owed_ = {{serial, now}}; }
  Steady::duration behind(Steady::time_point now) const {
    return owed_.empty() ? Steady::duration::zero() : now - owed_.front().told;
  }

 private:
  struct Version {
    std::uint32_t serial;
    Steady::time_point told;
  };
  std::deque<Version> owed_;
};

}  // namespace registry::zone
