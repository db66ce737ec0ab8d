#include "bridge/ctl/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

namespace registry::ctl {
namespace {

constexpr std::chrono::milliseconds kLookEvery{10};  // flock(2) knows no deadline

}  // namespace

Result<FolderLock> FolderLock::Take(const std::string& folder, std::chrono::milliseconds wait) {
  const auto failed = [&] {
    return Error::Make(Code::kFailed, "file_failed", folder + ": " + std::strerror(errno));
  };
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failed();
  FolderLock lock(fd);
  // What another user makes in it, root too, the registry's user could not read or replace.
  struct stat is {};
  if (fstat(fd, &is) != 0) return failed();
  if (is.st_uid != geteuid()) {
    return Error::Make(Code::kFailed, "file_failed",
                       folder + " belongs to user " + std::to_string(is.st_uid) + "; run it as user id " +
                           std::to_string(is.st_uid));
  }
  const auto until = std::chrono::steady_clock::now() + wait;
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return failed();
    if (std::chrono::steady_clock::now() >= until) {
      return Error::Make(Code::kFailed, "folder_locked", folder + ": another registryctl changes it");
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  return lock;
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace registry::ctl
