// bridge/ctl/ledger_commands.h: `registryctl ledger` (verify here, the rest in ledger_file_commands.h), `dead-letter list`,
// `job list`, `feed show PARTY`.
// Read-only; see ledger_source.h. `ledger verify` ends with status 3 when it found a fault.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddLedgerCommands(CLI::App& app);

}  // namespace registry::ctl
