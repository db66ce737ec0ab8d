// bridge/ctl/key_commands.h: `registryctl key generate URI` and `registryctl key show URI`: private keys in tokens.
// A failure is thrown as CLI::RuntimeError after its sentence is on stderr, so that the program ends with status 1.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddKeyCommands(CLI::App& app);

}  // namespace registry::ctl
