#include "tests/unit/schemas/contract/judge.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "schemas/base/bytes.h"
#include "tests/support/shell.h"

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
  test::Ran ran = test::Shell(command);
  EXPECT_TRUE(ran.ok()) << "the judge failed; `./dev packages` installs python3-jsonschema and ajv";
  return std::move(ran.output);
}

std::string Messages() { return (SchemaFolder() / "messages").string(); }

std::vector<bool> Verdicts(const std::vector<Case>& cases, const std::string& judge) {
  const fs::path input = fs::temp_directory_path() / ("judge-" + std::to_string(getpid()) + ".jsonl");
  std::ofstream(input) << Write(cases);
  const std::string output = Run(judge + " < '" + input.string() + "'");
  fs::remove(input);
  std::vector<bool> verdicts;
  for (char c : output) {
    if (c == '1' || c == '0') verdicts.push_back(c == '1');
  }
  EXPECT_EQ(verdicts.size(), cases.size());
  verdicts.resize(cases.size());
  return verdicts;
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

std::vector<bool> JudgeByAjv(const std::vector<Case>& cases, const std::string& options) {
  const fs::path source = REGISTRY_SOURCE_DIR;
  return Verdicts(cases, "node '" + (source / "tests/unit/schemas/contract/judge.js").string() + "' '" +
                             Messages() + "' '" + (source / "build/node/node_modules").string() + "' '" +
                             options + "'");
}

namespace {

// `document`: as the script wants it behind the folder, may be empty.
std::vector<bool> JudgeByPython(const std::string& document, const std::vector<Case>& cases) {
  const fs::path script = fs::path(REGISTRY_SOURCE_DIR) / "tests/unit/schemas/contract/judge.py";
  return Verdicts(cases, "/usr/bin/python3 '" + script.string() + "' '" + Messages() + "' " + document);
}

}  // namespace

std::vector<bool> Judge(const std::vector<Case>& cases) {
  const std::vector<bool> verdicts = JudgeByPython("", cases);
  // python3-jsonschema takes `format` for an annotation.
  const std::vector<bool> second = JudgeByAjv(cases, R"({"strict":true,"validateFormats":false})");
  for (std::size_t i = 0; i < cases.size(); ++i)
    EXPECT_EQ(second[i], verdicts[i]) << "ajv judges otherwise: " << cases[i].stem << ' ' << cases[i].text;
  return verdicts;
}

std::vector<bool> JudgeMessages(const std::string& document, const std::vector<Case>& cases) {
  return JudgeByPython(document, cases);
}

}  // namespace registry::contract
