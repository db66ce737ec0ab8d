// bridge/ledger/postgres/schema.h: the tables of a ledger and their version (README.md).
// Private to this folder. Threads: any. Errors: kLedgerMissing, kLedgerNewer, kLedgerUnmarked (an import that did not end),
//   kLedgerFailed (an earlier version, which `registryctl ledger migrate` raises), kLedgerDamaged.
#pragma once

#include "bridge/ledger/postgres/schema_steps.h"
#include "bridge/ledger/postgres/store.h"

namespace registry::ledger {

inline constexpr const char* kSchemaKey = "schema";  // in table meta, the version of the tables
inline constexpr const char* kPreparedKey =
    "prepared";  // the version whose tables are there, though it may not hold yet
inline constexpr const char* kImportKey = "import";  // how far an import has come; absent from a ledger

Status CheckSchema(const Store& store, const PostgresOptions& options);
// A ledger with the tables of this release, which are still to be raised to its version.
Result<bool> IsPreparedOnly(const Store& store, const PostgresOptions& options);
// "database registry on db1, schema registry", for sentences.
std::string NameOfPlace(const PostgresOptions& options);

// Of tables with records and without: indexes, id and versions. From then on it is a ledger, but for an import.
Status NameLedger(PostgresStore& store);

// The tables, where they are not there; whether they were made. Those of an earlier version get what they miss, which that
// version goes on beside; RaiseTables raises its number.
Result<bool> MakeTables(const PostgresOptions& options);
// The same while registries have the ledger open, as soon as each of them knows the tables of this release (nodes.h).
// A sentence that says what was done, or who is in the way.
Result<std::string> RaiseBesideNodes(const PostgresOptions& options);
// The number of tables that MakeTables has gone through, by who has the ledger open; what it was, or nothing: it is this
// release's. An import that is under way has none yet.
Result<std::optional<std::uint64_t>> RaiseTables(PostgresStore& store);

}  // namespace registry::ledger
