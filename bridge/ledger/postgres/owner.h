// bridge/ledger/postgres/owner.h: who may write beside the committer, to tables `intake` and `kept`. The one row of table
// `owner` names an opening of the ledger by its epoch. What writes there holds the row shared until it is committed, and the
// next opening writes the row: so that one comes behind every write that succeeds, and before every one that is refused. It
// ends a write that is still open, whose client hangs for example.
// Private to this folder. Threads: any. Errors: kLedgerInUse: another registry has the ledger now; those of the backend.
#pragma once

#include "bridge/ledger/postgres/lasting.h"
#include "bridge/ledger/postgres/statements.h"

namespace registry::ledger {

// Where the writer of this ledger is, also after the ledger's end. `ledger` is one of this backend, open for writing.
std::shared_ptr<const Written> WrittenOf(const Ledger& ledger);

// Those who commit beside it (members.h) append under their own number: WithMember, and a next owner ends them first.
// The epoch of this ledger, which is its owner from here on; `ledger` as above.
Result<std::int64_t> TakeOwnership(Lasting& connection, const std::string& schema, const Ledger& ledger);

// For a statement with the epoch as $1: no row where another is the owner. "WITH owner AS (…)".
std::string WithOwner(const std::string& schema);
// With the number of a member as $1: no row where it was ended.
std::string WithMember(const std::string& schema);
Error NotTheOwner();

}  // namespace registry::ledger
