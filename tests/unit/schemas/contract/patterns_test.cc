// The schemas' patterns are those of every engine: RE2 (Go, and validators that fear a pattern's cost) knows neither \u nor
// look-ahead, which ECMAScript's and Python's do.
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <string>
#include <vector>

#include "tests/unit/schemas/contract/judge.h"

namespace registry::contract {
namespace {

using nlohmann::json;

void Collect(const json& node, std::vector<std::string>* patterns) {
  if (node.is_object() && node.contains("pattern") && node.at("pattern").is_string())
    patterns->push_back(node.at("pattern"));
  if (!node.is_structured()) return;
  for (const json& child : node) Collect(child, patterns);
}

TEST(Patterns, AreUnderstoodByRe2) {
  std::size_t seen = 0;
  for (const auto& file : std::filesystem::directory_iterator(SchemaFolder() / "messages")) {
    std::vector<std::string> patterns;
    Collect(LoadJson(file.path()), &patterns);
    for (const std::string& pattern : patterns) {
      const re2::RE2 read(pattern, re2::RE2::Quiet);
      EXPECT_TRUE(read.ok()) << file.path().filename() << ' ' << pattern << ": " << read.error();
      ++seen;
    }
  }
  EXPECT_GT(seen, 50u);
}

}  // namespace
}  // namespace registry::contract
