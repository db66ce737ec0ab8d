// tests/support/openssl_tool.h: the openssl program as a judge that shares no code with ours, in a folder of its own.
#pragma once

#include <stdlib.h>

#include <array>
#include <cstdio>
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

struct ToolResult {
  int status = -1;
  std::string output;  // both streams
  bool ok() const { return status == 0; }
};

// `openssl <arguments>`, run inside the folder.
inline ToolResult OpenSsl(const TemporaryFolder& folder, const std::string& arguments) {
  const std::string command = "cd '" + folder.In("") + "' && openssl " + arguments + " 2>&1 </dev/null";
  FILE* const pipe = popen(command.c_str(), "r");
  REG_CHECK(pipe != nullptr);
  ToolResult result;
  std::array<char, 4096> buffer{};
  for (std::size_t got; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    result.output.append(buffer.data(), got);
  result.status = pclose(pipe);
  return result;
}

}  // namespace registry::test
