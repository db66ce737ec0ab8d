// tests/bench/lived_devices.h: a ledger as large as those of registries that have lived for a while, made quickly: devices
// are registered, many to a commit, with 7 entries of history each. Threads: the main one.
#pragma once

#include <chrono>
#include <iterator>

#include "bridge/ledger/ledger.h"
#include "schemas/base/check.h"
#include "tests/unit/bridge/ledger/samples.h"

namespace registry::bench {

namespace samples = ledger::samples;

inline constexpr std::uint64_t kPerCommit = 200;
inline constexpr std::size_t kHistory = 7;
inline constexpr std::chrono::minutes kMakingMax{12};

// What is left of devices that have lived for a while: their records, what is theirs alone, and 7 entries of history each.
// What was said of them has been acknowledged and let go, and most commands are forgotten (`ledger.event_days`).
inline domain::Changeset LivedDevices(std::uint64_t from) {
  domain::Changeset changes;
  changes.mark = samples::Mark(from);
  for (std::uint64_t number = from; number < from + kPerCommit; ++number) {
    domain::Changeset one = samples::Registration(number);
    std::move(one.devices.begin(), one.devices.end(), std::back_inserter(changes.devices));
    std::move(one.claims.begin(), one.claims.end(), std::back_inserter(changes.claims));
    changes.history.insert(changes.history.end(), kHistory, one.history[0]);
  }
  return changes;
}

// How many there are in the end.
inline std::uint64_t FillLived(ledger::Ledger& ledger, std::uint64_t devices) {
  const auto until = std::chrono::steady_clock::now() + kMakingMax;
  std::uint64_t made = 0;
  for (; made < devices && std::chrono::steady_clock::now() < until; made += kPerCommit)
    ledger.CommitLater(LivedDevices(made), [](const Status& done) { REG_CHECK(done.ok()); });
  REG_CHECK(ledger.Commit(samples::Registration(made)).ok());  // the last: all are there
  return made + 1;
}

}  // namespace registry::bench
