#include "bridge/ledger/private_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>

namespace registry::ledger {
namespace {

namespace fs = std::filesystem;
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

Error Refuse(const std::string& sentence) { return Error::Make(Code::kFailed, kFolderPermissions, sentence); }
Error CannotRead(const std::string& path) {
  return Refuse("cannot look at " + path + ": " + std::strerror(errno));
}

Status CheckOwner(const std::string& path, const struct stat& is) {
  if (is.st_uid == ::geteuid()) return Done{};
  return Refuse(path + " belongs to user " + std::to_string(is.st_uid) + ": run as that user, or chown it");
}

using Visit = std::function<Status(const std::string& path, const struct stat& is)>;

Status ForEachFile(const std::string& folder, const Visit& visit) {
  std::error_code failed;
  for (fs::directory_iterator file(folder, failed), end; !failed && file != end; file.increment(failed)) {
    struct stat is {};
    const std::string path = file->path();
    if (::lstat(path.c_str(), &is) != 0) {
      if (errno == ENOENT) continue;  // gone meanwhile
      return CannotRead(path);
    }
    if (!S_ISREG(is.st_mode)) continue;
    if (auto visited = visit(path, is); !visited) return visited;
  }
  if (failed) return Refuse("cannot look into " + folder + ": " + failed.message());
  return Done{};
}

Status CheckFolder(const std::string& folder) {
  struct stat is {};
  if (::stat(folder.c_str(), &is) != 0) return CannotRead(folder);
  if (auto ours = CheckOwner(folder, is); !ours) return ours;
  if ((is.st_mode & kOthers) == 0) return Done{};
  return Refuse(folder +
                " is open to other users and holds private identifiers and authorisation codes: chmod 700 " +
                folder);
}

}  // namespace

Status MakePrivateFolder(const std::string& folder) {
  std::error_code failed;
  if (fs::create_directories(folder, failed)) fs::permissions(folder, fs::perms::owner_all, failed);
  if (failed) return Refuse("cannot make folder " + folder + ": " + failed.message());
  return Done{};
}

Status CheckPrivate(const std::string& folder) {
  if (auto closed = CheckFolder(folder); !closed) return closed;
  return ForEachFile(folder, CheckOwner);
}

Status KeepPrivate(const std::string& folder) {
  if (auto checked = CheckPrivate(folder); !checked) return checked;
  return ForEachFile(folder, [](const std::string& path, const struct stat& is) -> Status {
    if ((is.st_mode & kOthers) == 0 || ::chmod(path.c_str(), is.st_mode & 07777 & ~kOthers) == 0)
      return Done{};
    return Refuse("cannot take " + path + " from other users: " + std::strerror(errno));
  });
}

}  // namespace registry::ledger
