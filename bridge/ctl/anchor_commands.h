// bridge/ctl/anchor_commands.h: `registryctl anchor`: show, add, trust, revoke and remove trust anchors (anchor_life.h).
// Errors: a sentence with its symbol on stderr, then CLI::RuntimeError with status 1. Threads: the main one.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddAnchorCommands(CLI::App& app);

}  // namespace registry::ctl
