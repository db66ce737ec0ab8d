// bridge/ctl/ledger_lines_commands.h: `registryctl ledger export|import`: a ledger as lines of JSON, and back
// (ledger_lines.h).
// Threads: the main one.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddLedgerLines(CLI::App& ledger);

}  // namespace registry::ctl
