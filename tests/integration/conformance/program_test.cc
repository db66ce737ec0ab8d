// registry-conformance as a program: its words, its exit status, its reports.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "clients/conformance/clauses.h"
#include "tests/integration/conformance/conformance_lab.h"
#include "tests/support/shell.h"

namespace registry::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Ran Program(const std::string& words) {
  return Shell(std::string(REGISTRY_BINARY_DIR) + "/bin/registry-conformance " + words + " 2>&1");
}

std::string ReadAll(const std::string& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST(ConformanceProgram, ListsItsCasesWithTheirClauses) {
  const Ran ran = Program("mno --list");
  EXPECT_TRUE(ran.ok());
  for (const auto& one : conformance::CasesOf("mno"))
    EXPECT_THAT(ran.output, HasSubstr(one.name + " ")) << one.name;
}

TEST(ConformanceProgram, WrongUseIsTwo) {
  const std::string lab = ConformanceLab().In("lab.json");
  for (const std::string& words :
       {std::string(), std::string("mno"), std::string("mno --lab /nowhere/lab.json"),
        std::string("operator --list"), "mno --lab " + lab + " --only no-such-case",
        "mno --lab " + lab + " --party asp-a", "asp --lab " + lab + " --party nobody",
        "mno --lab " + lab + " --report /nowhere/report.html", "mno --lab " + lab + " --serves true"}) {
    EXPECT_EQ(WEXITSTATUS(Program(words).status), 2) << words;
  }
}

TEST(ConformanceProgram, APartyThatDoesNotComeIsOneAndBothReportsSayWhy) {
  const std::string report = ConformanceLab().In("nobody");
  const Ran ran = Program("mno --lab " + ConformanceLab().In("lab.json") + " --wait 1 --report " + report +
                          ".json --report " + report + ".html");
  EXPECT_EQ(WEXITSTATUS(ran.status), 1);
  EXPECT_THAT(ran.output, HasSubstr("connect guest-mno to 127.0.0.1 port "));
  EXPECT_THAT(ran.output, HasSubstr("guest-mno did not connect"));
  const json read = json::parse(ReadAll(report + ".json"));
  EXPECT_EQ(read.at("good"), false);
  EXPECT_EQ(read.at("clauses").size(), 37u);
  EXPECT_THAT(ReadAll(report + ".html"), HasSubstr("guest-mno did not connect"));
}

}  // namespace
}  // namespace registry::test
