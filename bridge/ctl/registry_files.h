// bridge/ctl/registry_files.h: which files a registry is made of beside ledger and intake: its configuration, and what lies
// with it in pki/, zone/ and interface/ or is named by the configuration. Those that only their owner may read are secrets,
// but for the configuration itself.
// Threads: one. Errors: config errors; file_failed.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "bridge/app/config.h"

namespace registry::ctl {

struct RegistryFiles {
  std::vector<std::string> open, secret;  // paths below the registry's folder, the configuration first
  std::vector<std::string> left_out;      // a sentence each: lies elsewhere, or cannot be read
  // Of open and secret, what the configuration names, and what only the key set does. Anything else may go while it is
  // copied: what is being written (bridge/signing/file_write.h), or a key that a roll-over has just left behind.
  std::set<std::string> named, of_key_set;

  bool IsNamed(const std::string& path) const { return named.contains(path) || of_key_set.contains(path); }
};
Result<RegistryFiles> RegistryFilesOf(const app::Config& config);
// What the key set names by now, in the place of what it named when the files were listed. Little work, for whoever holds
// the set; listing may take long.
void FollowKeySet(const app::Config& config, RegistryFiles& files);

}  // namespace registry::ctl
