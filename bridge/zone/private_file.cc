#include "bridge/zone/private_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace registry::zone {

Privacy OpenPrivate(const std::string& path, PrivateFile& file) {
  PrivateFile opened(std::fopen(path.c_str(), "re"), &std::fclose);
  struct stat info {};
  if (!opened || fstat(fileno(opened.get()), &info) != 0 || !S_ISREG(info.st_mode))
    return Privacy::kUnreadable;
  if ((info.st_mode & 077) != 0 || info.st_uid != geteuid()) return Privacy::kExposed;
  file = std::move(opened);
  return Privacy::kGood;
}

}  // namespace registry::zone
