// tests/support/openssl_tool.h: the openssl program as a judge that shares no code with ours, in a folder of its own.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "schemas/base/bytes.h"
#include "schemas/base/check.h"
#include "tests/support/shell.h"

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

// `openssl <arguments>`, run inside the folder; both streams.
inline Ran OpenSsl(const TemporaryFolder& folder, const std::string& arguments) {
  return Shell("cd '" + folder.In("") + "' && openssl " + arguments + " 2>&1 </dev/null");
}

}  // namespace registry::test
