// bridge/ctl/folder_lock.h: whoever changes a registry's folder holds it alone (flock(2) on the folder itself, so no file
// is left behind and the owner of none matters). Given back by the destructor, or by the kernel with the process.
// Threads: one. Errors (2400): file_failed; folder_locked when somebody else holds it for longer than `wait`.
// Limits: local file systems; NFS locks no folder.
#pragma once

#include <chrono>
#include <string>

#include "schemas/base/result.h"

namespace registry::ctl {

class FolderLock {
 public:
  static Result<FolderLock> Take(const std::string& folder,
                                 std::chrono::milliseconds wait = std::chrono::seconds(30));
  FolderLock(FolderLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace registry::ctl
