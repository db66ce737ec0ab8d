#include "bridge/app/disk_space.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace registry::app {
namespace {

std::string TooLittle(const WatchedFolder& folder, std::uint64_t octets, std::uint64_t least) {
  return folder.name + ".folder: " + folder.path + " has " + std::to_string(octets) +
         " octets free, less than ledger.free_bytes_min (" + std::to_string(least) +
         "): commands that change something are refused with disk_nearly_full";
}

}  // namespace

std::vector<WatchedFolder> WatchedFolders(const Config& config) {
  if (config.ledger.in_postgres) return {{"intake", config.intake_folder}};
  return {{"ledger", config.ledger_folder}, {"intake", config.intake_folder}};
}

std::optional<std::uint64_t> FreeIn(const std::string& folder) {
  std::filesystem::path path = folder;
  struct statvfs info {};
  while (::statvfs(path.c_str(), &info) != 0) {
    if (errno != ENOENT || !path.has_relative_path()) return std::nullopt;
    path = path.parent_path();
  }
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

std::vector<std::string> SpaceWarnings(const std::vector<WatchedFolder>& folders, std::uint64_t least,
                                       const FreeSpace& look) {
  std::vector<std::string> warnings;
  for (const WatchedFolder& folder : folders) {
    const auto octets = look(folder.path);
    if (octets && *octets < least) warnings.push_back(TooLittle(folder, *octets, least));
  }
  return warnings;
}

DiskSpace::DiskSpace(std::vector<WatchedFolder> folders, std::uint64_t least, LogLine log, FreeSpace look)
    : folders_(std::move(folders)), least_(least), log_(std::move(log)), look_(std::move(look)) {}

void DiskSpace::Look() {
  const bool before = low_;
  const std::uint64_t enough = before ? least_ + least_ / 8 : least_;
  Free free;
  std::string scarce;
  for (const WatchedFolder& folder : folders_) {
    const auto octets = look_(folder.path);
    if (!octets) continue;
    free.emplace_back(folder.name, *octets);
    if (*octets < enough && scarce.empty()) scarce = TooLittle(folder, *octets, enough);
  }
  low_ = !scarce.empty();
  if (low_ && !before) log_.Error(scarce);
  if (!low_ && before) log_.Info("there is space again: commands are taken");
  const MutexLock lock(mutex_);
  free_ = std::move(free);
}

DiskSpace::Free DiskSpace::free() const {
  const MutexLock lock(mutex_);
  return free_;
}

}  // namespace registry::app
