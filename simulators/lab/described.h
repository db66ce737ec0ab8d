// simulators/lab/described.h: which processes a folder's lab.json names, and whose the folder is now.
// FolderClaim keeps one lab per folder: an flock(2) on <folder>/.lock for as long as the claim lives (the kernel drops it
// with the process, however that ends), and no process of an earlier lab may still live. Nothing else in the folder is
// touched. Threads: any. Errors: "lab_runs" (the folder's lab is still there), "no_lab", "no_folder".
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "schemas/base/result.h"

namespace registry::lab {

struct DescribedProcess {
  std::string name;
  pid_t pid = 0;
  std::uint64_t start_time = 0;
  bool Lives() const;  // number and start time are the same: it is no later process that got the number
};

// In the order of lab.json, the supervisor first.
Result<std::vector<DescribedProcess>> ReadDescribed(const std::string& folder);

class FolderClaim {
 public:
  static Result<FolderClaim> Take(const std::string& folder);
  FolderClaim() = default;
  FolderClaim(FolderClaim&& other) noexcept : lock_(std::exchange(other.lock_, -1)) {}
  FolderClaim& operator=(FolderClaim&& other) noexcept {
    std::swap(lock_, other.lock_);
    return *this;
  }
  ~FolderClaim();

 private:
  explicit FolderClaim(int lock) : lock_(lock) {}
  int lock_ = -1;
};

}  // namespace registry::lab
