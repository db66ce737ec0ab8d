// bridge/ctl/building.h: a folder that is there whole or not at all: it is filled beside its place and renamed there.
// Owns: what is not finished yet, and removes it. Threads: one. Errors (2400): folder_exists, file_failed.
#pragma once

#include <string>

#include "schemas/base/result.h"

namespace registry::ctl {

class Building {
 public:
  // `folder` must not exist, or be empty. Missing folders above are made.
  static Result<Building> Begin(const std::string& folder);
  Building(Building&& other) noexcept;
  Building& operator=(Building&&) = delete;
  ~Building();
  const std::string& path() const { return path_; }
  Status Finish();  // durable

 private:
  Building(std::string folder, std::string path) : folder_(std::move(folder)), path_(std::move(path)) {}
  std::string folder_, path_;
};

}  // namespace registry::ctl
