// bridge/ctl/party_commands.h: `registryctl party list`, `show` and `limits`: what the configuration says of parties
// beside what the ledger holds for them, and their certificates. Read-only; see ledger_source.h.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

// Below `party`, beside the commands that change parties (party_life_commands.h).
void AddPartyList(CLI::App& party);

}  // namespace registry::ctl
