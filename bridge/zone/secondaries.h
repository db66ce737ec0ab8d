// bridge/zone/secondaries.h: all secondaries together: who serves what, who lags, who is ahead of us.
// Owns: the conversation with each (secondary.h). Zone name, keys and clock outlive it.
// Left behind: one that has lacked a version, or not answered, for longer than Options::lag_limit. It holds nothing back
//   until it serves the newest version again, but for the keys (AllServe), which caches may hold.
// Threads: the publishing thread only.
// Errors: one that lags or cannot be reached is said once, and again when it is back; one that is too far ahead to be passed
//   is said once for each serial it serves.
// Spec: RFC 1982 §3.2.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "bridge/zone/left_behind.h"
#include "bridge/zone/revocation_watch.h"
#include "bridge/zone/secondary.h"

namespace registry::zone {

class Secondaries {
 public:
  Secondaries(const Options& options, const Name& zone, const TsigKeys& keys, const Clock& clock,
              LogLine log);

  void Announce(std::uint32_t serial, const BlockPtr& soa, Steady::time_point now);
  // Waits at most `wait` for an answer or for the next question to fall due; then each has its turn.
  void Watch(std::chrono::milliseconds wait);

  bool empty() const { return secondaries_.empty(); }
  bool AllCurrent() const;
  bool AllReachableCurrent() const;  // but for those left behind
  bool AllServe(std::uint32_t serial) const;
  // All that are not left behind, and one at least.
  bool Served(std::uint32_t serial) const;
  // From announcement to service, smoothed, of the slowest that can be reached; zero without any.
  Steady::duration UsualDelay() const;
  std::string NamesNotServing(std::uint32_t serial) const;
  std::vector<std::string> names() const;  // in the order of the numbers in a RevocationWatch
  void LookAt(RevocationWatch& revocations, Steady::time_point now) const;
  std::vector<Snapshot::Lag> lags(const RevocationWatch& revocations, Steady::time_point now) const;

  // A secondary ignores what is not ahead of its own serial. One that is ahead of us has versions from after the moment a
  // restored ledger stems from: the highest such serial that `newest` may move past; says whose it is.
  std::optional<std::uint32_t> HighestToPass(std::uint32_t newest);
  // Who has come late, who is left behind, and who has caught up, since the last call; the log hears it, and
  // Options::secondary_told of the latter two.
  void SayLags(std::uint32_t newest, Steady::time_point now);

 private:
  void JudgeLeft(std::size_t which, const Snapshot::Lag& lag, Steady::time_point now);
  bool MayPass(std::size_t which, std::uint32_t newest);

  const LogLine log_;
  std::deque<Secondary> secondaries_;
  const Steady::duration lag_limit_;  // zero: nobody is left behind
  std::vector<bool> late_;            // and said
  std::vector<LeftBehind> left_;
  const SecondaryTold tell_;
  std::vector<LagTold> told_;
  std::vector<std::optional<std::uint32_t>> too_far_;  // the serial that was refused and said
};

}  // namespace registry::zone
