// tests/tidy/tree.h: the source tree as the house rules see it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace registry::tidy {

struct SourceFile {
  std::string path;  // relative to the root, '/'-separated
  std::vector<std::string> lines;
};

// C++ sources below schemas, workers, bridge, clients, simulators and tests.
std::vector<SourceFile> Sources();
// "bridge/ledger/rocksdb" of "bridge/ledger/rocksdb/open.h".
std::string RoomOf(const std::string& path);
std::vector<std::string> ReadLines(const std::filesystem::path& path);

}  // namespace registry::tidy
