// bridge/ctl/ca_commands.h: `registryctl ca request|install|show|switch`: an issuing CA below an offline root, from its
// key to its first signature.
// A failure is thrown as CLI::RuntimeError after its sentence is on stderr, so that the program ends with status 1.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddCaCommands(CLI::App& app);

}  // namespace registry::ctl
