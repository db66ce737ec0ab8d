// bridge/ctl/scratch_folder.h: a folder of this process's user alone among the temporary files, gone with this object.
// Owns: the folder and what is put into it. Threads: one. Errors (2400): file_failed.
#pragma once

#include <string>
#include <utility>

#include "schemas/base/result.h"

namespace registry::ctl {

class ScratchFolder {
 public:
  static Result<ScratchFolder> Make();
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();
  const std::string& path() const { return path_; }
  std::string In(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace registry::ctl
