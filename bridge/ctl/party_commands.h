// bridge/ctl/party_commands.h: `registryctl party list`, what the configuration says of each party beside what the ledger
// holds for it. Read-only; see ledger_source.h.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

// Below `party`, beside the commands that change a registry's folder (init_commands.h).
void AddPartyList(CLI::App& party);

}  // namespace registry::ctl
