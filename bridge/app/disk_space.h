// bridge/app/disk_space.h: how much is free where ledger and intake lie, and whether that is too little to begin anything
// new: RocksDB ends at the first write that does not fit, and writes its tables anew beside the old ones.
// Free is what this process' user may still write (statvfs(3), f_bavail). Low is below `least`, in any of the folders, and
// stays so until there is an eighth more: what one refusal frees must not let the next command in.
// Threads: Look from one at a time, and it may wait for a disk; low() and free() from any, and never wait for one.
// Errors: none. A file system that does not say is not low, and is not among free().
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bridge/app/config.h"
#include "bridge/log_line.h"
#include "schemas/base/mutex.h"

namespace registry::app {

struct WatchedFolder {
  std::string name, path;  // "ledger", /var/lib/...
};
std::vector<WatchedFolder> WatchedFolders(const Config& config);

// Of a folder that is not there yet: where it will be made.
std::optional<std::uint64_t> FreeIn(const std::string& folder);
using FreeSpace = std::function<std::optional<std::uint64_t>(const std::string& folder)>;

// A sentence for each folder with less; `least` 0: none.
std::vector<std::string> SpaceWarnings(const std::vector<WatchedFolder>& folders, std::uint64_t least,
                                       const FreeSpace& look = FreeIn);

class DiskSpace {
 public:
  using Free = std::vector<std::pair<std::string, std::uint64_t>>;
  DiskSpace(std::vector<WatchedFolder> folders, std::uint64_t least, LogLine log, FreeSpace look = FreeIn);
  void Look();  // says when it has become low, and when it is not any more
  bool low() const { return low_; }
  Free free() const;

 private:
  const std::vector<WatchedFolder> folders_;
  const std::uint64_t least_;
  const LogLine log_;
  const FreeSpace look_;
  std::atomic<bool> low_{false};
  mutable Mutex mutex_;
  Free free_ GUARDED_BY(mutex_);
};

}  // namespace registry::app
