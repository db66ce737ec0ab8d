// bridge/ctl/device_commands.h: `registryctl device show|explain|history ID`, `device list`, `device find`.
// Read-only; see ledger_source.h.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddDeviceCommands(CLI::App& app);

}  // namespace registry::ctl
