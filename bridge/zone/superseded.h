// bridge/zone/superseded.h: which entries from before the start are older than the content that was loaded.
// The zone is loaded as it is now; the entries behind the cursor led there and are applied once more. One that a later
// entry has overtaken must not bring back for a moment what it said, such as the record of a device that was revoked.
// Threads: the publishing thread, and the one that starts it before. Limits: one number for each device that waits.
#pragma once

#include <unordered_map>
#include <vector>

#include "bridge/ledger/ledger.h"

namespace registry::zone {

class Superseded {
 public:
  // Before the first version: what waits behind `cursor` by now. Errors: the ledger's.
  Status Find(const ledger::LedgerReader& ledger, ledger::Seq cursor);
  // What is left of them when the overtaken ones are taken out.
  std::vector<domain::ZoneChange> Without(std::vector<domain::ZoneChange> changes) const;
  // Everything up to `read` has been applied; behind the last that waited at the start nothing is overtaken.
  void Passed(ledger::Seq read);
  bool empty() const { return newest_.empty(); }

 private:
  std::unordered_map<DeviceId, std::uint64_t> newest_;  // revision
  ledger::Seq until_ = 0;
};

}  // namespace registry::zone
