// bridge/ledger/postgres/step.h: keyed/step_numbers.h, of a database that was set back to an earlier state.
// Threads: one, while nobody has the ledger open. Errors: those of opening (open.h).
#pragma once

#include "bridge/ledger/keyed/step_numbers.h"
#include "bridge/ledger/postgres/open.h"

namespace registry::ledger {

Result<Stepped> StepPostgresNumbers(const PostgresOptions& options);
// When all is stepped on: beyond the marks of all nodes, which refuse it until then; and the mark of this one anew.
Status PassPostgresMarks(const PostgresOptions& options);

}  // namespace registry::ledger
