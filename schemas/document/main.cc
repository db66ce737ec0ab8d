// asyncapi-document SCHEMAS-FOLDER: writes asyncapi.json and asyncapi.bundled.json there. Run it when the catalogue, a
// schema or an example changes; a test says so when it was forgotten.
#include <cstdio>
#include <exception>
#include <fstream>

#include "schemas/base/standard_descriptors.h"
#include "schemas/document/asyncapi.h"

namespace {

bool Write(const std::string& file, const registry::document::Json& document) {
  std::ofstream output(file, std::ios::binary | std::ios::trunc);
  output << registry::document::Text(document);
  return output.flush().good();
}

}  // namespace

int main(int argc, char** argv) try {
  registry::OpenStandardDescriptors();
  using registry::document::AsyncApi;
  using registry::document::Form;
  if (argc != 2 || argv[1][0] == '-') {
    if (argc > 1) std::fprintf(stderr, "asyncapi-document: '%s' is wrong\n", argv[argc > 2 ? 2 : 1]);
    std::fprintf(stderr, "usage: asyncapi-document SCHEMAS-FOLDER\n");
    return 2;
  }
  const std::string folder = argv[1];
  const auto sources = registry::document::ReadSources(folder);
  const bool written = Write(folder + "/asyncapi.json", AsyncApi(sources, Form::kSplit)) &&
                       Write(folder + "/asyncapi.bundled.json", AsyncApi(sources, Form::kBundled));
  if (!written) std::fprintf(stderr, "%s cannot be written\n", folder.c_str());
  return written ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
