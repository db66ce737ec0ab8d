#include "bridge/ledger/mark.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <random>

#include "bridge/ledger/crc32c.h"
#include "bridge/ledger/ledger.h"

namespace registry::ledger {
namespace {

constexpr std::size_t kIdSize = 32;
constexpr int kMarkSize = 97;  // always, so that it is written in place; far below a sector

Error MarkFailed(const std::string& path) {
  return Error::Make(Code::kFailed, kLedgerFailed, path + ": " + std::strerror(errno));
}

std::string TextOfMark(const Mark& mark) {
  char text[kMarkSize + 1];
  const int head =
      std::snprintf(text, sizeof(text), "iot-registry ledger\nid %s\nsynced %020" PRIu64 "\ncrc ",
                    mark.id.c_str(), mark.synced);
  const std::uint32_t crc = Crc32c(std::string_view(text, static_cast<std::size_t>(head)));
  std::snprintf(text + head, sizeof(text) - static_cast<std::size_t>(head), "%08" PRIx32 "\n", crc);
  return text;
}

std::optional<Mark> ParseMark(const std::string& text) {
  char id[kIdSize + 1] = {};
  Mark mark;
  if (std::sscanf(text.c_str(), "iot-registry ledger\nid %32[0-9a-f]\nsynced %" SCNu64, id, &mark.synced) !=
      2) {
    return std::nullopt;
  }
  mark.id = id;
  if (TextOfMark(mark) != text) return std::nullopt;
  return mark;
}

bool WriteAt0(int fd, const std::string& text) {
  ssize_t written = 0;
  do {
    written = ::pwrite(fd, text.data(), text.size(), 0);
  } while (written < 0 && errno == EINTR);
  if (written >= 0 && static_cast<std::size_t>(written) < text.size()) errno = ENOSPC;
  return written == static_cast<ssize_t>(text.size());
}

Status SyncFolder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const Error failed = MarkFailed(folder);
  if (fd >= 0) ::close(fd);
  return synced ? Status(Done{}) : Status(failed);
}

// Root that writes into a folder of registryd's user leaves a file that this user can write.
bool GiveToOwnerOf(const std::string& folder, int fd) {
  struct stat owner {};
  if (::geteuid() != 0) return true;
  return ::stat(folder.c_str(), &owner) == 0 && ::fchown(fd, owner.st_uid, owner.st_gid) == 0;
}

std::string FolderOf(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace

std::string NewLedgerId() {
  std::random_device random;
  Bytes octets(kIdSize / 2);
  for (auto& octet : octets) octet = static_cast<std::uint8_t>(random());
  return ToHex(octets);
}

std::string MissingOf(const std::optional<Mark>& mark, const Mark& there, std::uint64_t acked) {
  if (mark && mark->id != there.id)
    return "is another ledger, " + there.id + ", than the one that was acknowledged here, " + mark->id;
  const std::uint64_t marked = mark ? mark->synced : 0, known = std::max(marked, acked);
  if (known <= there.synced) return {};
  return "has lost what it acknowledged: transactions " + std::to_string(there.synced + 1) + " to " +
         std::to_string(known) + (known > marked ? ", as the registry said that had it" : "");
}

Result<std::optional<Mark>> ReadMark(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return std::optional<Mark>();
  if (fd < 0) return MarkFailed(path);
  std::string text(kMarkSize + 1, '\0');
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  const Error failed = MarkFailed(path);
  ::close(fd);
  if (size < 0) return failed;
  text.resize(static_cast<std::size_t>(size));
  auto mark = ParseMark(text);
  if (mark) return mark;
  return Error::Make(Code::kFailed, kLedgerDamaged,
                     path + " is not what was written; what the ledger should hold is not known");
}

Status WriteMark(const std::string& path, const Mark& mark) {
  const std::string temporary = path + ".new", folder = FolderOf(path);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return MarkFailed(path);
  const bool written = WriteAt0(fd, TextOfMark(mark)) && GiveToOwnerOf(folder, fd) && ::fsync(fd) == 0;
  const Error failed = MarkFailed(path);
  ::close(fd);
  if (!written) {
    ::unlink(temporary.c_str());
    return failed;
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return MarkFailed(path);
  return SyncFolder(folder);
}

Result<std::unique_ptr<MarkFile>> MarkFile::Open(const std::string& path, Mark mark) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return MarkFailed(path);
  return std::unique_ptr<MarkFile>(new MarkFile(fd, path, std::move(mark)));
}

MarkFile::~MarkFile() {
  ::fdatasync(fd_);  // an older number is true as well
  ::close(fd_);
}

Status MarkFile::Raise(std::uint64_t synced) {
  mark_.synced = synced;
  if (!WriteAt0(fd_, TextOfMark(mark_))) return MarkFailed(path_);
  return Done{};
}

Status MarkFile::Sync() {
  if (::fdatasync(fd_) != 0) return MarkFailed(path_);
  return Done{};
}

}  // namespace registry::ledger
