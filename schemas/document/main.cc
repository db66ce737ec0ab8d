// asyncapi-document SCHEMAS-FOLDER: writes there what is made of the rest (derived.h). Run it when the catalogue or a
// schema changes; a test says so when it was forgotten.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>

#include "schemas/base/standard_descriptors.h"
#include "schemas/document/derived.h"

namespace {

bool Write(const std::string& file, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(file).parent_path());
  std::ofstream output(file, std::ios::binary | std::ios::trunc);
  output << text;
  return output.flush().good();
}

}  // namespace

int main(int argc, char** argv) try {
  registry::OpenStandardDescriptors();
  if (argc != 2 || argv[1][0] == '-') {
    if (argc > 1) std::fprintf(stderr, "asyncapi-document: '%s' is wrong\n", argv[argc > 2 ? 2 : 1]);
    std::fprintf(stderr, "usage: asyncapi-document SCHEMAS-FOLDER\n");
    return 2;
  }
  const std::string folder = argv[1];
  for (const auto& [name, text] : registry::document::DerivedFiles(folder)) {
    if (Write(folder + "/" + name, text)) continue;
    std::fprintf(stderr, "%s/%s cannot be written\n", folder.c_str(), name.c_str());
    return 1;
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
