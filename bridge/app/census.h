// bridge/app/census.h: how many devices there are by state and by party, and certificates by when they end: counted in
// rounds through the ledger's index, a page at a time, because a registry of a million devices has no moment to count them.
// Owns: one thread from Start to Stop. Ledger and clock outlive it. counts() from any thread.
// Cost: after each page the thread rests twenty times as long as the page took, so a round takes at most a twentieth of a
//   core; between rounds it rests as long as the last one worked twenty times over, 2 s to 60 s. So a small registry's
//   figures are some seconds old, and a million devices' are about two minutes old.
// A round sees each device once, as it is when its page is read: pages are in order of device id.
// Errors: what the ledger refuses is logged once a minute, and the figures stay as they were.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "bridge/clock.h"
#include "bridge/ledger/ledger.h"
#include "bridge/log_line.h"
#include "bridge/say_once.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::app {

// When a live certificate ends, in classes of which it has one.
inline constexpr std::array<const char*, 6> kEndsNames = {"ended", "1d", "7d", "30d", "90d", "later"};

struct CensusCounts {
  struct Holdings {
    std::uint64_t sponsored = 0, claimed = 0;
    bool operator==(const Holdings&) const = default;
  };
  std::map<domain::State, std::uint64_t> states;  // every state, tombstones too
  std::map<PartyId, Holdings> parties;            // but for deleted devices
  std::array<std::uint64_t, kEndsNames.size()> ends{};
  std::uint64_t on_hold = 0;
  UtcTime taken;  // when the round began; zero: none has ended yet

  void Add(const domain::DeviceBrief& device);
  bool operator==(const CensusCounts&) const = default;
};

class Census {
 public:
  Census(const ledger::LedgerReader& ledger, const Clock& clock, LogLine log);
  ~Census() { Stop(); }
  void Start();
  void Stop() { thread_.Stop(); }
  CensusCounts counts() const;

 private:
  using Steady = std::chrono::steady_clock;
  void Run();
  // How long it worked; nothing when it was to stop.
  Result<Steady::duration> Round();
  Result<bool> Walk(const domain::DeviceGroup& group, CensusCounts& counts, Steady::duration& worked);

  const ledger::LedgerReader& ledger_;
  const Clock& clock_;
  const LogLine log_;
  SayOnce said_;  // the thread's own
  mutable Mutex mutex_;
  CondVar wake_;
  CensusCounts counts_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::app
