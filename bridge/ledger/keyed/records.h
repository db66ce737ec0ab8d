// bridge/ledger/keyed/records.h: a ledger's records one by one, out of one ledger and into a new one: export and import
// (bridge/app/BACKUP.md), and the way from one backend to another. Family and key are as FORMAT.md has them. What follows
// from other records (places, day_marks, history_by_device) and what is a ledger's own (its id, format and rules) does not
// go along: an import makes it anew.
// Threads: one at a time. Errors: the backend's; kLedgerDamaged, for a record that is not one of its family's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/ledger/keyed/ledger_point.h"

namespace registry::ledger {

struct StoredRecord {
  std::string_view family, key, octets;  // while it is told
};
using TakeRecord = std::function<Status(const StoredRecord&)>;

// How far an import has come: records that are in, and the digest of what they came in.
struct ImportedSoFar {
  std::uint64_t records = 0;
  std::string digest;
};

// A new ledger where there is none. It is one when Accept was good, and not before.
class RecordImport {
 public:
  virtual ~RecordImport() = default;
  // Of one that was cut short and goes on: these records are in, whoever imports leaves them out. Nothing otherwise.
  virtual ImportedSoFar begun() const { return {}; }
  // `digest` is asked only when the record is the last of those that become durable together.
  using AskDigest = std::function<std::string()>;
  virtual Status Put(const StoredRecord& record, const AskDigest& digest) = 0;
  Status Put(const StoredRecord& record) {
    return Put(record, [] { return std::string(); });
  }
  // Makes what follows from the records. The point is what was written: whoever imports compares it. `digest` as for Put:
  // one that was cut off from here on goes on behind its last record.
  virtual Result<LedgerPoint> Finish(const AskDigest& digest) = 0;
  // Of what Finish has made, to verify it. `scratch` as for OpenRocksDbReader.
  virtual Result<std::unique_ptr<LedgerReader>> Reader(const std::string& scratch) const = 0;
  virtual Status Accept() = 0;

 protected:
  RecordImport() = default;
  RecordImport(const RecordImport&) = default;
  RecordImport& operator=(const RecordImport&) = default;
};

}  // namespace registry::ledger
