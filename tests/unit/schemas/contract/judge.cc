#include "tests/unit/schemas/contract/judge.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "schemas/base/bytes.h"

namespace registry::contract {
namespace {

namespace fs = std::filesystem;

// Bytes travel as base64: an instance need not be UTF-8.
std::string Write(const std::vector<Case>& cases) {
  std::string lines;
  for (const Case& each : cases) {
    lines += nlohmann::json{{"stem", each.stem}, {"text", ToBase64(AsBytes(each.text))}}.dump() + "\n";
  }
  return lines;
}

std::string Run(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "";
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output.push_back(static_cast<char>(c));
  EXPECT_EQ(pclose(pipe), 0) << "the judge failed; is the Debian package python3-jsonschema installed?";
  return output;
}

}  // namespace

fs::path SchemaFolder() { return fs::path(REGISTRY_SOURCE_DIR) / "schemas"; }

std::string LoadText(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in) << file;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

nlohmann::json LoadJson(const fs::path& file) { return nlohmann::json::parse(LoadText(file)); }

std::vector<bool> Judge(const std::vector<Case>& cases) {
  const fs::path script = fs::path(REGISTRY_SOURCE_DIR) / "tests/unit/schemas/contract/judge.py";
  const fs::path input = fs::temp_directory_path() / ("judge-" + std::to_string(getpid()) + ".jsonl");
  std::ofstream(input) << Write(cases);
  const std::string output = Run("/usr/bin/python3 '" + script.string() + "' '" +
                                 (SchemaFolder() / "messages").string() + "' < '" + input.string() + "'");
  fs::remove(input);
  std::vector<bool> verdicts;
  for (char c : output) {
    if (c == '1' || c == '0') verdicts.push_back(c == '1');
  }
  EXPECT_EQ(verdicts.size(), cases.size());
  verdicts.resize(cases.size());
  return verdicts;
}

}  // namespace registry::contract
