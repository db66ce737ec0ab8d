// bridge/app/check_folders.h: what --check-config finds wrong with where registryd writes: the folders are apart, and
// whoever asks may write there, and to the log. Nothing is written or created; ask as the user registryd runs as.
// Each fault is one sentence that begins with the configuration's key. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "bridge/app/config.h"

namespace registry::app {

std::vector<std::string> FolderFaults(const Config& config);

}  // namespace registry::app
