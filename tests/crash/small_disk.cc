#include "tests/crash/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace registry::test {
namespace {

namespace fs = std::filesystem;

Error NotMounted(const std::string& folder, const std::string& why) {
  return Error::Make(Code::kFailed, "not_mounted", folder + ": " + why);
}

}  // namespace

// A container may grant the one and not the other.
bool SmallDisk::MayMount() {
  if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return false;
  std::string folder = (fs::temp_directory_path() / "registry-mount-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return false;
  const bool mounted = ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=1m") == 0;
  if (mounted) ::umount2(folder.c_str(), MNT_DETACH);
  ::rmdir(folder.c_str());
  return mounted;
}

Result<std::unique_ptr<SmallDisk>> SmallDisk::Under(const std::string& folder, std::uint64_t octets,
                                                    unsigned mode) {
  std::error_code error;
  const std::string aside = folder + ".aside";
  constexpr auto kAll = fs::copy_options::recursive | fs::copy_options::copy_symlinks;
  const bool was = fs::exists(folder, error);
  if (was && !error) fs::rename(folder, aside, error);
  if (!error) fs::create_directories(folder, error);
  if (error) return NotMounted(folder, error.message());
  char options[64];
  std::snprintf(options, sizeof options, "size=%llu,mode=%o", static_cast<unsigned long long>(octets), mode);
  if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, options) != 0)
    return NotMounted(folder, std::strerror(errno));
  std::unique_ptr<SmallDisk> disk(new SmallDisk(folder));
  if (was) fs::copy(aside, folder, kAll, error);
  if (was && !error) fs::remove_all(aside, error);
  if (error) return NotMounted(folder, error.message());
  return disk;
}

SmallDisk::~SmallDisk() { ::umount2(folder_.c_str(), MNT_DETACH); }

void SmallDisk::Fill(std::uint64_t left) {
  struct statvfs space {};
  if (::statvfs(folder_.c_str(), &space) != 0) return;
  const std::uint64_t free = space.f_bavail * space.f_bsize;
  const int file = ::open(filler().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  if (free > left) (void)::posix_fallocate(file, 0, static_cast<off_t>(free - left));
  ::close(file);
}

void SmallDisk::Free() {
  std::error_code ignored;
  fs::remove(filler(), ignored);
}

}  // namespace registry::test
