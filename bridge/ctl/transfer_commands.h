// bridge/ctl/transfer_commands.h: `registryctl transfer list`, `transfer show ID`: which devices go from one party to
// another, whose, and when it is decided. Read-only; see ledger_source.h. ICCIDs are not told.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddTransferCommands(CLI::App& app);

}  // namespace registry::ctl
