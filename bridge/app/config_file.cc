#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "bridge/app/config.h"

namespace registry::app {
namespace {

// Of what may not be read: the file, or the folder that keeps it from being looked at.
std::string OwnerToBe(const std::filesystem::path& file) {
  std::error_code failed;
  for (auto place = std::filesystem::absolute(file, failed); place.has_relative_path();
       place = place.parent_path()) {
    struct stat is {};
    if (::stat(place.c_str(), &is) == 0) return "; run it as user id " + std::to_string(is.st_uid);
  }
  return "";
}

}  // namespace

std::string InterfaceFolder(const Config& config) {
  return (std::filesystem::absolute(config.file).parent_path() / "interface").string();
}

Status ConfigCanBeRead(const std::string& file) {
  const auto refuse = [&file](const std::string& why) {
    return Error::Make(Code::kFailed, "config_unreadable", file + ": " + why);
  };
  std::error_code failed;
  if (std::filesystem::is_directory(file, failed))
    return refuse("is a folder; the configuration is a file in it: " +
                  (std::filesystem::path(file) / "registry.toml").string());
  // The parser keeps the system's reason to itself.
  const std::ifstream input(file, std::ios::binary);
  const int why = errno;
  if (input.is_open()) return Done{};
  const std::string reason = std::string("cannot be read: ") + std::strerror(why);
  return refuse(why == EACCES ? reason + OwnerToBe(file) : reason);
}

}  // namespace registry::app
