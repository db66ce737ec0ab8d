#include "bridge/signing/file_write.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "bridge/secret.h"
#include "schemas/base/descriptor.h"

namespace registry::signing {
namespace {

Error WriteFailure(const std::string& path) {
  const bool exists = errno == EEXIST;
  return Error::Make(Code::kFailed, exists ? "file_exists" : "file_failed",
                     path + ": " + std::strerror(errno));
}

std::string FolderOf(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

// Created for the owner only; wider modes are given once the content is complete.
bool WriteDurably(int fd, std::string_view content, mode_t mode) {
  const bool written = WriteAll(fd, content) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
  const int why = errno;
  const bool closed = close(fd) == 0;
  if (!written) errno = why;
  return written && closed;
}

}  // namespace

bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t put = write(fd, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

bool SyncFolder(const std::string& folder) {
  const Descriptor open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return open.fd() >= 0 && fsync(open.fd()) == 0;
}

bool SyncFolderOf(const std::string& path) { return SyncFolder(FolderOf(path)); }

Status ReplaceFile(const std::string& path, std::string_view content, mode_t mode) {
  std::string temporary = path + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return WriteFailure(path);
  if (!WriteDurably(fd, content, mode) || std::rename(temporary.c_str(), path.c_str()) != 0) {
    const Error error = WriteFailure(path);
    unlink(temporary.c_str());
    return error;
  }
  if (!SyncFolderOf(path)) return WriteFailure(path);
  return Done{};
}

Status CreateFile(const std::string& path, std::string_view content, mode_t mode) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return WriteFailure(path);
  if (!WriteDurably(fd, content, mode)) {
    const Error error = WriteFailure(path);
    unlink(path.c_str());
    return error;
  }
  if (!SyncFolderOf(path)) return WriteFailure(path);
  return Done{};
}

Status CreateSecretFile(const std::string& path) {
  Secret octets(32);
  if (RAND_priv_bytes(octets.fill(), static_cast<int>(octets.size())) != 1)
    return Error::Make(Code::kFailed, "file_failed", "no random octets");
  Secret line(octets.size() / 3 * 4 + 5);
  const int size = EVP_EncodeBlock(line.fill(), octets.data(), static_cast<int>(octets.size()));
  line.fill()[size] = '\n';
  line.Shorten(static_cast<std::size_t>(size) + 1);
  return CreateFile(path, line.text(), 0600);
}

}  // namespace registry::signing
