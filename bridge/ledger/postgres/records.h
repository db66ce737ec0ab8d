// bridge/ledger/postgres/records.h: the records of a ledger in PostgreSQL one by one, and a new one of such
// (keyed/records.h). An import that was cut short goes on where it stopped: what is in is in by whole transactions, and its
// place with it.
// Threads: one at a time. Errors: those of opening (open.h); kLedgerDamaged, for a record that is not one of its family's.
#pragma once

#include <memory>

#include "bridge/ledger/keyed/records.h"
#include "bridge/ledger/postgres/open.h"

namespace registry::ledger {

// One moment of it, beside a running registry or of a stopped one.
Result<LedgerPoint> ReadRecords(const PostgresOptions& options, const TakeRecord& take);

// Into tables that are not there, that are empty, or that hold a part of an import. Not into a ledger that has begun.
Result<std::unique_ptr<RecordImport>> BeginPostgresImport(const PostgresOptions& options);

}  // namespace registry::ledger
