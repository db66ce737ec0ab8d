// tests/support/test_postgres.h: a PostgreSQL server of the test program's own, started when it is first asked for, and the
// options of a ledger in a schema of it. Nothing is synced there: a test that looks for what a power cut leaves starts its
// own.
#pragma once

#include "bridge/ledger/postgres/open.h"
#include "simulators/lab/postgres_server.h"

namespace registry::test {

lab::PostgresServer& SharedPostgres();

// One schema for one name; names of another server are no concern of this one.
ledger::PostgresOptions PostgresOptionsFor(const lab::PostgresServer& server, const std::string& name);

}  // namespace registry::test
