// bridge/ledger/rocksdb/mark.h: the file LEDGER in a ledger's folder, its mark (bridge/ledger/mark.h). A folder without it,
// or a database that holds less than it says, is not the ledger that was acknowledged.
// Private to this folder. Threads: any.
// Errors: kLedgerUnmarked (there is none), kLedgerDamaged, kLedgerFailed (the disk).
#pragma once

#include "bridge/ledger/mark.h"

namespace registry::ledger {

std::string MarkIn(const std::string& folder);  // its path
Result<Mark> ReadMarkIn(const std::string& folder);

}  // namespace registry::ledger
