// bridge/ledger/keyed/families.h: the records of a store in the order in which they are told, and what can be said of one
// before it is put into another (records.h).
// Private to bridge/ledger. Threads: one at a time. Errors: the store's; kLedgerDamaged.
#pragma once

#include "bridge/ledger/keyed/ordered_writes.h"
#include "bridge/ledger/keyed/records.h"

namespace registry::ledger {

// Every record that is told, in order of family and key. As of one moment where the store is of one moment.
Status ReadFamilies(const Store& store, const TakeRecord& take);

// Adds a record, and what is found by it (history_by_device).
Status StageRecord(const StoredRecord& record, OrderedWrites& writes);

// Without the store's own number of its last write.
Result<LedgerPoint> PointIn(const Store& store);

}  // namespace registry::ledger
