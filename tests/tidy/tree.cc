#include "tests/tidy/tree.h"

#include <fstream>
#include <set>

namespace registry::tidy {

namespace fs = std::filesystem;

std::vector<std::string> ReadLines(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<SourceFile> Sources() {
  static const std::set<std::string> kEndings = {".h", ".cc"};
  std::vector<SourceFile> files;
  const fs::path root = REGISTRY_SOURCE_DIR;
  for (const char* top : {"schemas", "workers", "bridge", "clients", "simulators", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      if (!kEndings.contains(entry.path().extension())) continue;
      files.push_back({fs::relative(entry.path(), root).generic_string(), ReadLines(entry.path())});
    }
  }
  return files;
}

std::string RoomOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace registry::tidy
