#include "bridge/ctl/scratch_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace registry::ctl {

namespace fs = std::filesystem;

Result<ScratchFolder> ScratchFolder::Make() {
  std::string path = (fs::temp_directory_path() / "registryctl-XXXXXX").string();
  if (mkdtemp(path.data()) != nullptr) return ScratchFolder(std::move(path));
  return Error::Make(Code::kFailed, "file_failed",
                     std::string("cannot create a folder for temporary files: ") + std::strerror(errno));
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace registry::ctl
