// bridge/ledger/keyed/recent_devices.h: version and places of the devices that were written or looked at last. A device on
// its way through an activation is written several times within seconds, and none of them has to be read back and decoded.
// Private to bridge/ledger. What it reads from outlives it. Threads: the committer only.
// Errors: kLedgerDamaged, and those of reading. A failed write makes it wrong: nothing is committed after one.
// Limits: kKept to twice as many devices, about 1 KB each. It forgets in Forget alone, so that what a write has staged and
//   the database does not have yet stays.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "bridge/ledger/keyed/place_keys.h"
#include "bridge/ledger/keyed/places.h"
#include "bridge/ledger/keyed/read_ahead.h"

namespace registry::ledger {

class RecentDevices {
 public:
  static constexpr std::size_t kKept = 8192;
  struct State {
    std::uint64_t version = 0;                   // 0: there is none
    std::shared_ptr<const DevicePlaces> places;  // never null
  };

  explicit RecentDevices(const ReadAhead& stored) : stored_(stored) {}
  bool Knows(const std::string& device) const { return now_.contains(device) || before_.contains(device); }
  Result<State> Find(const std::string& device);  // by its key
  void Put(const std::string& device, State state) { now_[device] = std::move(state); }
  // Whether one that is known has a place there; of those that were staged, all are known.
  bool AnyIn(const keys::KeyRange& range) const;
  void Forget();                            // between two writes: those of long ago
  void Forget(const std::string& device) {  // another has written it
    now_.erase(device);
    before_.erase(device);
  }
  void ForgetAll() {  // what was staged was not written
    now_.clear();
    before_.clear();
  }

 private:
  Result<State> Read(const std::string& device) const;

  const ReadAhead& stored_;
  std::unordered_map<std::string, State> now_, before_;
};

}  // namespace registry::ledger
