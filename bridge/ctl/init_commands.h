// bridge/ctl/init_commands.h: `registryctl init`, `registryctl broker certificate`.
// A failure is thrown as CLI::RuntimeError after its sentence is on stderr, so that the program ends with
// status 1.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddInitCommands(CLI::App& app);
void AddBrokerCommands(CLI::App& app);

}  // namespace registry::ctl
