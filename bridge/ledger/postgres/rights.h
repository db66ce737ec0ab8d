// bridge/ledger/postgres/rights.h: whether the role of a connection may do in the tables of a ledger what registryd does:
// read, insert, change and delete rows in each. A new release brings new tables, and where the role does not own them a
// person gives the rights (README.md, "Set-up"). Without this question the first write to a forgotten table would fail,
// which may be days after the start.
// Every table of the schema is asked for, so none can be left out here. Where there is no schema, nothing is missing.
// Threads: any. Waiting: `retry_for` and `answer_within` of the options. Errors: kLedgerFailed: the server was not reached,
// or is a standby that is not promoted.
#pragma once

#include <string>

#include "bridge/ledger/postgres/open.h"

namespace registry::ledger {

// A sentence with the GRANTs that are missing; empty: none are.
Result<std::string> MissingRights(const PostgresOptions& options);

// For this folder, over a connection that is there already (connection.h).
struct Statement;
class Rows;
// Schema → one row: its tables without these rights, with commas between them, and 1 where it may not be used itself.
extern const Statement kWithoutRights;
std::string RightsMissing(const std::string& schema, const Rows& without);

}  // namespace registry::ledger
