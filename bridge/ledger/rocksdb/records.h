// bridge/ledger/rocksdb/records.h: a ledger's records one by one, out of one ledger and into a new one: export and import
// (bridge/app/BACKUP.md), and the way to another backend. Family and key are as FORMAT.md has them. What follows from other
// records (places, day_marks, history_by_device) and what is a folder's own (the mark, format and rules) does not go along:
// an import makes it anew.
// Threads: one at a time. Errors: those of opening (open.h); kLedgerDamaged, for a record that is not one of its family's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "bridge/ledger/rocksdb/backup.h"

namespace registry::ledger {

struct StoredRecord {
  std::string_view family, key, octets;  // while it is told
};
using TakeRecord = std::function<Status(const StoredRecord&)>;

// Of a stopped ledger, or beside a running registry: one moment of it, in order of family and key. `scratch` as for
// OpenRocksDbReader. kLedgerFailed for a folder of an earlier format, which a start of registryd raises.
Result<LedgerPoint> ReadRecords(const std::string& folder, const std::string& scratch,
                                const TakeRecord& take);

// A new ledger in a folder that is not there or empty. It has its mark, and so is a ledger, when Finish was good.
class RecordImport {
 public:
  static Result<std::unique_ptr<RecordImport>> Begin(const std::string& folder);
  virtual ~RecordImport() = default;
  virtual Status Put(const StoredRecord& record) = 0;
  // Makes what follows from the records. The point is what was written: whoever imports compares it, and then verifies.
  virtual Result<LedgerPoint> Finish() = 0;
};

}  // namespace registry::ledger
