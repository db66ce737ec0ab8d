// bridge/ledger/rocksdb/records.h: the records of a RocksDB ledger one by one, and a new one of such (keyed/records.h).
// Threads: one at a time. Errors: those of opening (open.h); kLedgerDamaged, for a record that is not one of its family's.
#pragma once

#include <memory>
#include <string>

#include "bridge/ledger/keyed/records.h"

namespace registry::ledger {

// Of a stopped ledger, or beside a running registry: one moment of it, in order of family and key. `scratch` as for
// OpenRocksDbReader. kLedgerFailed for a folder of an earlier format, which a start of registryd raises.
Result<LedgerPoint> ReadRecords(const std::string& folder, const std::string& scratch,
                                const TakeRecord& take);

// A new ledger in a folder that is not there or empty. It has its mark when Finish was good.
Result<std::unique_ptr<RecordImport>> BeginRocksDbImport(const std::string& folder);

}  // namespace registry::ledger
