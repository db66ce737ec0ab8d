#include "bridge/app/kept_folder.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "bridge/signing/file_write.h"

namespace registry::app {
namespace {

constexpr mode_t kKeptMode = 0600;

}  // namespace

Result<std::optional<std::string>> KeptFolder::Read(const std::string& name) const {
  errno = 0;
  std::ifstream input(PathOf(name), std::ios::binary);
  if (!input && errno == ENOENT) return std::optional<std::string>();
  std::ostringstream text;
  if (!input || !(text << input.rdbuf()))
    return Error::Make(Code::kFailed, "file_failed", PathOf(name) + ": " + std::strerror(errno));
  return std::optional(text.str());
}

Status KeptFolder::Write(const std::string& name, std::string_view text) {
  return signing::ReplaceFile(PathOf(name), text, kKeptMode);
}

}  // namespace registry::app
