// bridge/ctl/registry_files.h: which files a registry is made of beside ledger and intake: its configuration, and what lies
// with it in pki/, zone/ and interface/ or is named by the configuration. Those that only their owner may read are secrets,
// but for the configuration itself.
// Threads: one. Errors: config errors; file_failed.
#pragma once

#include <string>
#include <vector>

#include "bridge/app/config.h"

namespace registry::ctl {

struct RegistryFiles {
  std::vector<std::string> open, secret;  // paths below the registry's folder, the configuration first
  std::vector<std::string> left_out;      // a sentence each: lies elsewhere, or cannot be read
};
Result<RegistryFiles> RegistryFilesOf(const app::Config& config);

}  // namespace registry::ctl
