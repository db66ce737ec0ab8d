#include "bridge/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "schemas/base/descriptor.h"

namespace registry {
namespace {

SecretRead Refuse(SecretTrouble trouble, std::string why) { return {trouble, std::move(why), {}}; }

SecretRead Missing(const std::string& path) {
  return Refuse(SecretTrouble::kMissing, path + ": " + std::strerror(errno));
}

SecretRead ReadAll(int fd, const std::string& path, std::size_t octets_max) {
  Secret content(octets_max + 1);
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = read(fd, content.fill() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Missing(path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > octets_max) return Refuse(SecretTrouble::kTooLarge, path + " is too large for a key");
  content.Shorten(size);
  return {SecretTrouble::kNone, "", std::move(content)};
}

SecretRead Read(const std::string& path, std::size_t octets_max, bool judged) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (file.fd() < 0 || fstat(file.fd(), &info) != 0) return Missing(path);
  if (!S_ISREG(info.st_mode)) return Refuse(SecretTrouble::kNoFile, path + " is not a regular file");
  if (judged && info.st_uid != geteuid()) return Refuse(SecretTrouble::kOwner, WrongOwner(path, info.st_uid));
  if (judged && (info.st_mode & 0077) != 0) {
    return Refuse(SecretTrouble::kExposed, path + " can be used by others than its owner: chmod 600 it");
  }
  return ReadAll(file.fd(), path, octets_max);
}

}  // namespace

SecretRead ReadSecret(const std::string& path, std::size_t octets_max) {
  return Read(path, octets_max, true);
}

SecretRead ReadUnjudged(const std::string& path, std::size_t octets_max) {
  return Read(path, octets_max, false);
}

std::string WrongOwner(const std::string& path, uid_t owner) {
  const std::string belongs =
      path + " belongs to user id " + std::to_string(owner) + ", this process runs as ";
  const std::string us = std::to_string(geteuid());
  if (owner == 0) return belongs + "user id " + us + ": chown it to that user";
  return belongs + (geteuid() == 0 ? "root" : "user id " + us) + ": run it as user id " +
         std::to_string(owner);
}

}  // namespace registry
