#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "schemas/document/asyncapi.h"

namespace registry::document {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".schema.json";

Json Read(const fs::path& file) {
  std::ifstream input(file, std::ios::binary);
  if (!input) throw std::runtime_error(file.string() + " cannot be read");
  return Json::parse(input);
}

// The first by name, so that the document does not depend on the order of a folder.
Json FirstExample(const fs::path& folder) {
  std::vector<fs::path> files;
  if (fs::is_directory(folder)) files.assign(fs::directory_iterator(folder), fs::directory_iterator());
  if (files.empty()) return nullptr;
  return Read(*std::min_element(files.begin(), files.end()));
}

}  // namespace

Sources ReadSources(const std::string& folder) {
  Sources sources;
  for (const auto& entry : fs::directory_iterator(fs::path(folder) / "messages")) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(kEnding)) continue;
    const std::string stem = name.substr(0, name.size() - kEnding.size());
    sources.schemas[stem] = Read(entry.path());
    sources.examples[stem] = FirstExample(fs::path(folder) / "examples" / stem / "valid");
  }
  return sources;
}

std::string Text(const Json& document) { return document.dump(2) + "\n"; }

}  // namespace registry::document
