#include "bridge/zone/private_file.h"

#include <sys/stat.h>
#include <unistd.h>

namespace registry::zone {

Result<PrivateFile> OpenPrivate(const std::string& path, const PrivateFileErrors& errors) {
  PrivateFile file(std::fopen(path.c_str(), "re"), &std::fclose);
  struct stat info {};
  if (!file || fstat(fileno(file.get()), &info) != 0 || !S_ISREG(info.st_mode)) {
    return Error::Make(Code::kFailed, errors.unreadable,
                       std::string("cannot read ") + errors.what + ": " + path);
  }
  if ((info.st_mode & 077) != 0 || info.st_uid != geteuid()) {
    return Error::Make(Code::kFailed, errors.exposed,
                       std::string(errors.what) + " must belong to this user with mode 0600: " + path);
  }
  return file;
}

}  // namespace registry::zone
