// tests/support/temporary_folder.h: a folder of a test's own, removed with everything in it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "schemas/base/bytes.h"
#include "schemas/base/check.h"

namespace registry::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "registry-test-XXXXXX").string();
    REG_CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string In(const std::string& name) const { return (path_ / name).string(); }
  std::string Write(const std::string& name, std::string_view content) const {
    std::ofstream(In(name), std::ios::binary) << content;
    return In(name);
  }
  std::string Write(const std::string& name, const Bytes& content) const {
    return Write(name, AsText(content));
  }
  std::string Read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(In(name), std::ios::binary).rdbuf();
    return text.str();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace registry::test
