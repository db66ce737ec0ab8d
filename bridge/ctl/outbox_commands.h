// bridge/ctl/outbox_commands.h: `registryctl outbox skip --sink S --seq N`: passes the one entry that keeps an
// outbox from going on, because it cannot be read or must not leave. The only command that writes to a ledger:
// of a stopped registry, since it opens the ledger as registryd does. Leaves a dead letter that says so.
// Errors: see ledger_source.h.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddOutboxCommands(CLI::App& app);

}  // namespace registry::ctl
