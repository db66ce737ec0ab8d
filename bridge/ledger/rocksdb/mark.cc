#include "bridge/ledger/rocksdb/mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <random>

#include "bridge/ledger/crc32c.h"
#include "bridge/ledger/ledger.h"

namespace registry::ledger {
namespace {

constexpr std::size_t kIdSize = 32;
constexpr int kSize = 97;  // always, so that it is written in place; far below a sector

std::string PathIn(const std::string& folder) { return folder + "/LEDGER"; }

Error Failed(const std::string& path) {
  return Error::Make(Code::kFailed, kLedgerFailed, path + ": " + std::strerror(errno));
}

std::string TextOf(const Mark& mark) {
  char text[kSize + 1];
  const int head =
      std::snprintf(text, sizeof(text), "iot-registry ledger\nid %s\nsynced %020" PRIu64 "\ncrc ",
                    mark.id.c_str(), mark.synced);
  const std::uint32_t crc = Crc32c(std::string_view(text, static_cast<std::size_t>(head)));
  std::snprintf(text + head, sizeof(text) - static_cast<std::size_t>(head), "%08" PRIx32 "\n", crc);
  return text;
}

std::optional<Mark> Parse(const std::string& text) {
  char id[kIdSize + 1] = {};
  Mark mark;
  if (std::sscanf(text.c_str(), "iot-registry ledger\nid %32[0-9a-f]\nsynced %" SCNu64, id, &mark.synced) !=
      2) {
    return std::nullopt;
  }
  mark.id = id;
  if (TextOf(mark) != text) return std::nullopt;
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
  const Error failed = Failed(folder);
  if (fd >= 0) ::close(fd);
  return synced ? Status(Done{}) : Status(failed);
}

}  // namespace

std::string NewLedgerId() {
  std::random_device random;
  Bytes octets(kIdSize / 2);
  for (auto& octet : octets) octet = static_cast<std::uint8_t>(random());
  return ToHex(octets);
}

Result<Mark> ReadMark(const std::string& folder) {
  const std::string path = PathIn(folder);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    return Error::Make(
        Code::kFailed, kLedgerUnmarked,
        "the database in " + folder +
            " has no file LEDGER, the mark of a ledger. If it is the ledger of a registry from before "
            "there were marks, stop that and run: registryctl ledger adopt --ledger " +
            folder + ". Otherwise ledger.folder names the wrong folder, or a part of it is missing");
  }
  if (fd < 0) return Failed(path);
  std::string text(kSize + 1, '\0');
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  const Error failed = Failed(path);
  ::close(fd);
  if (size < 0) return failed;
  text.resize(static_cast<std::size_t>(size));
  auto mark = Parse(text);
  if (mark) return std::move(*mark);
  return Error::Make(
      Code::kFailed, kLedgerDamaged,
      path +
          " is not what was written; what the ledger should hold is not known. Restore a backup, or "
          "delete this file and run: registryctl ledger adopt --ledger " +
          folder);
}

Status WriteMark(const std::string& folder, const Mark& mark) {
  const std::string path = PathIn(folder), temporary = path + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Failed(path);
  const bool written = WriteAt0(fd, TextOf(mark)) && ::fsync(fd) == 0;
  const Error failed = Failed(path);
  ::close(fd);
  if (!written) {
    ::unlink(temporary.c_str());
    return failed;
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return Failed(path);
  return SyncFolder(folder);
}

Result<std::unique_ptr<MarkFile>> MarkFile::Open(const std::string& folder, Mark mark) {
  const std::string path = PathIn(folder);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return Failed(path);
  return std::unique_ptr<MarkFile>(new MarkFile(fd, path, std::move(mark)));
}

MarkFile::~MarkFile() {
  ::fdatasync(fd_);  // an older number is true as well
  ::close(fd_);
}

Status MarkFile::Raise(std::uint64_t synced) {
  mark_.synced = synced;
  if (!WriteAt0(fd_, TextOf(mark_))) return Failed(path_);
  return Done{};
}

Status MarkFile::Sync() {
  if (::fdatasync(fd_) != 0) return Failed(path_);
  return Done{};
}

}  // namespace registry::ledger
