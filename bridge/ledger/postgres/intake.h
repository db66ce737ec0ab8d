// bridge/ledger/postgres/intake.h: the intake's rows beside a ledger in PostgreSQL, in table `intake`. Only the registry
// that has the ledger open for writing appends there (owner.h).
// Where several commit to the ledger (members.h), a member has a table of its own: it sees its own rows, of which there are
// none when it has joined, and appends until it is ended.
// Owns: three connections, made when they are needed. The ledger outlives the call.
// Threads and errors: as bridge/ledger/intake_table.h says.
#pragma once

#include "bridge/ledger/intake_table.h"
#include "bridge/ledger/postgres/open.h"

namespace registry::ledger {

// `of`: the ledger, opened with the same options.
Result<std::unique_ptr<IntakeTable>> OpenPostgresIntake(const PostgresOptions& options, const Ledger& of);

// How many messages wait there, beside a running registry or of a stopped one.
Result<std::uint64_t> CountPostgresIntake(const PostgresOptions& options);

}  // namespace registry::ledger
