#include "bridge/ctl/building.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "schemas/base/descriptor.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;

Error Refused(std::string_view symbol, const std::string& sentence) {
  return Error::Make(Code::kFailed, symbol, sentence);
}

}  // namespace

Result<Building> Building::Begin(const std::string& folder) {
  std::error_code failed;
  fs::path place = fs::absolute(folder, failed).lexically_normal();
  if (!place.has_filename()) place = place.parent_path();
  if (fs::exists(place, failed) && !(fs::is_directory(place, failed) && fs::is_empty(place, failed)))
    return Refused("folder_exists", folder + " exists and is not empty; nothing is overwritten");
  fs::create_directories(place.parent_path(), failed);
  std::string path = place.string() + ".XXXXXX";
  if (mkdtemp(path.data()) == nullptr)
    return Refused("file_failed", folder + ": cannot be made: " + std::strerror(errno));
  return Building(place, path);
}

Building::Building(Building&& other) noexcept
    : folder_(std::move(other.folder_)), path_(std::exchange(other.path_, "")) {}

Building::~Building() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Status Building::Finish() {
  std::error_code failed;
  fs::rename(path_, folder_, failed);  // over an empty folder too, never over a filled one
  if (failed) return Refused("file_failed", folder_ + ": " + failed.message());
  path_.clear();
  const std::string above = fs::path(folder_).parent_path();
  const Descriptor open(::open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (open.fd() < 0 || ::fsync(open.fd()) != 0)
    return Refused("file_failed", above + ": " + std::strerror(errno));
  return Done{};
}

}  // namespace registry::ctl
