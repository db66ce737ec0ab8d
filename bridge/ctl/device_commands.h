// bridge/ctl/device_commands.h: `registryctl device show ID`, `device list`, `device history ID`.
// Read-only; see ledger_source.h.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddDeviceCommands(CLI::App& app);

}  // namespace registry::ctl
