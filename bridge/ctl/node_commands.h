// bridge/ctl/node_commands.h: `registryctl node list`: which registryd have the ledger in PostgreSQL, or wait for it
// (bridge/app/NODES.md). Read-only; asks the ledger's server, and no registryd.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddNodeCommands(CLI::App& app);

}  // namespace registry::ctl
