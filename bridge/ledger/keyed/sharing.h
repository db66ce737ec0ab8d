// bridge/ledger/keyed/sharing.h: the committer's part where others write to the same records: it begins each transaction,
// takes what the others changed into the memory of this ledger, and says what this one changed.
// Private to bridge/ledger/keyed. What it is made of outlives it. Threads: the committer's; WhenOthersWrote from any.
// Errors: those of SharedWrites; kLedgerNewer, kLedgerDamaged: what another changed cannot be read here. After one nothing
//   is written any more.
#pragma once

#include <functional>

#include "bridge/ledger/keyed/change.h"
#include "bridge/ledger/keyed/recent_devices.h"
#include "bridge/ledger/keyed/shared_writes.h"

namespace registry::ledger {

class Sharing {
 public:
  Sharing(SharedWrites& writes, Live& live, OutboxTail& tail, ReadAhead& ahead, RecentDevices& devices)
      : writes_(writes), live_(live), tail_(tail), ahead_(ahead), devices_(devices) {}

  // Begins a transaction in which these will be checked: what they are checked against is read, and stays as it is.
  Status Enter(const std::vector<const Encoded*>& changesets);
  // Its end. False: nothing of it was written, and all is to be entered and staged anew.
  Result<bool> Write(OrderedWrites& writes, const Change& change) {
    return writes_.Write(writes, EncodeChange(change));
  }
  Status Leave() { return writes_.Leave(); }
  Status Look(SharedWrites::Patience patience);
  void WhenOthersWrote(std::function<void(const Ledger::Others&)> tell);

 private:
  Status Take(const SharedWrites::Changes& changes);
  // False: the transaction was cut off.
  Result<bool> TryToEnter(const std::vector<const Encoded*>& changesets);
  Result<bool> ReadMoved(const std::vector<const Encoded*>& changesets);

  SharedWrites& writes_;
  Live& live_;
  OutboxTail& tail_;
  ReadAhead& ahead_;
  RecentDevices& devices_;
  Mutex mutex_;
  std::function<void(const Ledger::Others&)> tell_ GUARDED_BY(mutex_);
};

}  // namespace registry::ledger
