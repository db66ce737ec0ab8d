// bridge/ctl/audit_commands.h: `registryctl audit tail|export`, `audit verify FILE`: the history of the ledger as JSON lines
// that are hash-chained (audit_line.h). Read beside a running registryd or from a stopped one; see ledger_source.h.
// Errors: a chain that breaks in the ledger is never exported: a sentence says where, with status 3, as `ledger verify`.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddAuditCommands(CLI::App& app);

}  // namespace registry::ctl
