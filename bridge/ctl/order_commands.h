// bridge/ctl/order_commands.h: `registryctl order list`, `order show ID`, `order report ID`.
// Read-only; see ledger_source.h.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddOrderCommands(CLI::App& app);

}  // namespace registry::ctl
