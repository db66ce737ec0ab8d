// bridge/ledger/rocksdb/backup.h: copies of a ledger that are ledgers themselves, with their mark (bridge/app/BACKUP.md).
// Durable is what the caller makes durable: a copy is synced when it is moved to where it stays.
// Threads: any; MakeCheckpoint while others commit.
// Errors: kLedgerFailed (the disk, or there is something at `to`), and those of opening (open.h).
#pragma once

#include <cstdint>
#include <string>

#include "bridge/ledger/ledger.h"

namespace registry::ledger {

// What one moment of a ledger is known by.
struct LedgerPoint {
  std::string id;                // of its mark
  std::uint64_t format = 0;      // of the folder (FORMAT.md)
  std::uint64_t last_write = 0;  // RocksDB's sequence number
  Seq history = 0;
  Bytes chain;  // hash of the last history record; empty before the first
};

// One moment of the ledger that OpenRocksDbLedger has opened, in the new folder `to`: tables as hard links where the file
// system is the same, else as copies; the logs as copies, for nothing is flushed. Commits go on meanwhile. Everything that
// was committed before the call is in it.
Status MakeCheckpoint(const Ledger& opened, const std::string& to);

// The same of a ledger that nobody has open, whatever its format. kLedgerInUse when somebody has.
Status CopyStoppedLedger(const std::string& folder, const std::string& to);

// Reads a ledger's logs and its head and writes nothing; holds it against its mark. For a copy, or a stopped ledger.
Result<LedgerPoint> PointOf(const std::string& folder);

// After the restore of an older ledger, others may have been told more than it knows. So the numbers that they hold against
// each other go on further, and none is used twice:
// - Every feed by kFeedStep: what is not acknowledged comes again under a new number.
// - The version of the payload of every device that is claimed by kPayloadStep: a card refuses one that is not newer than
//   what it has taken.
inline constexpr Seq kFeedStep = 1'000'000'000;
inline constexpr std::uint64_t kPayloadStep = 1000;
struct Stepped {
  std::uint64_t feeds = 0, devices = 0;
};
Result<Stepped> StepNumbers(const std::string& folder);

}  // namespace registry::ledger
