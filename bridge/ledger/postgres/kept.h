// bridge/ledger/postgres/kept.h: the kept state (bridge/ledger/kept_state.h) in table `kept` beside a ledger in PostgreSQL.
// Only the registry that has the ledger open for writing writes there (owner.h).
// Owns: one connection, made when it is needed. The ledger outlives the call. Threads: any; calls wait for each other.
#pragma once

#include <memory>

#include "bridge/ledger/kept_state.h"
#include "bridge/ledger/postgres/open.h"

namespace registry::ledger {

// `of`: the ledger, opened with the same options.
Result<std::unique_ptr<KeptState>> OpenPostgresKept(const PostgresOptions& options, const Ledger& of);

// For whoever has no ledger open: Write is refused (kLedgerInUse). What it reads may be what was so a moment ago.
std::unique_ptr<KeptState> ReadPostgresKept(const PostgresOptions& options);

// All of it, while nobody has the ledger open: of a database that was set back it says what was so at that time.
Status ForgetPostgresKept(const PostgresOptions& options);

}  // namespace registry::ledger
