// bridge/ctl/authorisation_commands.h: `registryctl ask`, `registryctl authorisation set` and `… key`. The first two speak
// to a registryd that runs (ask.h), the last makes a file. A rejection is said on stderr, exit status 1.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddAuthorisationCommands(CLI::App& app);

}  // namespace registry::ctl
