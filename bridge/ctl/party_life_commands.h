// bridge/ctl/party_life_commands.h: `registryctl party add`, `renew`, `change`, `withdraw`, `remove` and `hand-over`:
// what changes a party. Each does its work on the registry's folder, then tells the running registryd and the broker
// (running.h) and says what it has told whom. A failure is thrown as CLI::RuntimeError after its sentence is on
// stderr: 1, or 2 for what was typed. 1 too when the work is done and somebody could not be told.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

// Makes `party` of the program.
void AddPartyLife(CLI::App& app);

}  // namespace registry::ctl
