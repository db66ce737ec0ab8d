// bridge/ctl/backup_commands.h: `registryctl backup` and `registryctl restore` (bridge/app/BACKUP.md).
// Threads: the main one.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddBackupCommands(CLI::App& app);

}  // namespace registry::ctl
