// bridge/ledger/rocksdb/backup.h: copies of a ledger that are ledgers themselves, with their mark (bridge/app/BACKUP.md).
// Durable is what the caller makes durable: a copy is synced when it is moved to where it stays.
// Threads: any; MakeCheckpoint while others commit.
// Errors: kLedgerFailed (the disk, or there is something at `to`), and those of opening (open.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "bridge/ledger/keyed/ledger_point.h"
#include "bridge/ledger/keyed/step_numbers.h"

namespace registry::ledger {

// One moment of the ledger that OpenRocksDbLedger has opened, in the new folder `to`: tables as hard links where the file
// system is the same, else as copies; the logs as copies, for nothing is flushed. Commits go on meanwhile. Everything that
// was committed before the call is in it.
Status MakeCheckpoint(const Ledger& opened, const std::string& to);

// The same of a ledger that nobody has open, whatever its format. kLedgerInUse when somebody has. `beside` copies what
// belongs to the same moment: it is called while nobody else can open the ledger, and not at all when somebody has it.
Status CopyStoppedLedger(const std::string& folder, const std::string& to,
                         const std::function<Status()>& beside = {});

// Reads a ledger's logs and its head and writes nothing; holds it against its mark. For a copy, or a stopped ledger.
Result<LedgerPoint> PointOf(const std::string& folder);

// keyed/step_numbers.h, of the ledger in a folder.
Result<Stepped> StepNumbers(const std::string& folder);

}  // namespace registry::ledger
