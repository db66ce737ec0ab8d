// tests/crash/small_disk.h: a file system of a bounded size (tmpfs) under one folder, which can be filled up.
// Seen by this process and its children alone: MayMount gives them mount points of their own (mount_namespaces(7)).
// Owns: the mount; it ends with this object, and with the process at the latest. Threads: the owner's.
// Errors: not_mounted. Limits: for root.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "schemas/base/result.h"

namespace registry::test {

class SmallDisk {
 public:
  // Before this process has threads. False: it may not, so there are no small disks here.
  static bool MayMount();
  // What the folder holds is there afterwards, too. Nobody writes into it meanwhile.
  static Result<std::unique_ptr<SmallDisk>> Under(const std::string& folder, std::uint64_t octets,
                                                  unsigned mode);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  const std::string& folder() const { return folder_; }
  // Until no more than `left` octets are free.
  void Fill(std::uint64_t left);
  void Free();

 private:
  explicit SmallDisk(std::string folder) : folder_(std::move(folder)) {}
  std::string filler() const { return folder_ + "/filler"; }
  const std::string folder_;
};

}  // namespace registry::test
