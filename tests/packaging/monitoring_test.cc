// What an operator hands to Prometheus and Grafana: judged by promtool, held to registryd's metrics and to the page
// that says what to do.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "tests/support/shell.h"
#include "tests/support/temporary_folder.h"

namespace registry {
namespace {

using nlohmann::json;
using test::Ran;
using test::Shell;

const std::string kMonitoring = REGISTRY_SOURCE_DIR "/packaging/monitoring/";
const std::string kAlerts = kMonitoring + "registry-alerts.yml";
using Names = std::set<std::string>;

std::string ReadAll(const std::string& file) {
  std::ifstream input(file);
  return {std::istreambuf_iterator<char>(input), {}};
}

Names AllOf(const std::string& text, const char* pattern) {
  const std::regex form(pattern);
  Names found;
  for (std::sregex_iterator at(text.begin(), text.end(), form), end; at != end; ++at) found.insert((*at)[1]);
  return found;
}

// The rows of OPERATIONS.md, which a test of the metrics holds to the program.
Names Documented() {
  std::istringstream page(ReadAll(REGISTRY_SOURCE_DIR "/bridge/app/OPERATIONS.md"));
  std::string rows;
  for (std::string line; std::getline(page, line);) {
    if (std::regex_search(line, std::regex(R"(^\| `registry_.*` \| (counter|gauge|histogram) \|)")))
      rows += line.substr(0, line.find(" | ")) + "\n";
  }
  return AllOf(rows, R"(`(registry_\w+))");
}

void ExpectDocumented(const std::string& text) {
  const Names documented = Documented();
  const Names named = AllOf(text, R"((?:^|[^\w$])(registry_\w+))");
  EXPECT_GT(named.size(), 10u);
  for (const std::string& name : named) {
    const std::string metric = std::regex_replace(name, std::regex("_(bucket|count|sum)$"), "");
    // The symbol of a refusal is no metric.
    if (metric != "registry_failed") {
      EXPECT_TRUE(documented.contains(metric)) << metric << " is no metric of registryd";
    }
  }
}

std::vector<std::string> BoardExpressions(const json& board) {
  std::vector<std::string> expressions;
  for (const json& panel : board.at("panels")) {
    for (const json& target : panel.value("targets", json::array())) expressions.push_back(target.at("expr"));
  }
  return expressions;
}

TEST(Monitoring, PromtoolTakesTheAlerts) {
  const Ran checked = Shell("promtool check rules '" + kAlerts + "' 2>&1");
  EXPECT_TRUE(checked.ok()) << checked.output;
}

TEST(Monitoring, AlertsFireWhenTheyShould) {
  const Ran tested =
      Shell("cd '" REGISTRY_SOURCE_DIR "/tests/packaging/alerts' && promtool test rules *.yml 2>&1");
  EXPECT_TRUE(tested.ok()) << tested.output;
}

TEST(Monitoring, AlertsAndBoardNameMetricsThatThereAre) {
  ExpectDocumented(ReadAll(kAlerts));
  std::string expressions;
  for (const std::string& one : BoardExpressions(json::parse(ReadAll(kMonitoring + "registry-board.json"))))
    expressions += one + "\n";
  ExpectDocumented(expressions);
}

TEST(Monitoring, ThePageSaysOfEveryAlertWhatToDo) {
  const Names alerts = AllOf(ReadAll(kAlerts), R"(alert: (\w+))");
  EXPECT_GT(alerts.size(), 15u);
  EXPECT_EQ(alerts,
            AllOf(ReadAll(REGISTRY_SOURCE_DIR "/bridge/app/OPERATIONS.md"), R"(\| `(Registry\w+)` \|)"));
}

TEST(Monitoring, TheBoardAsksWhatPrometheusUnderstands) {
  const json board = json::parse(ReadAll(kMonitoring + "registry-board.json"));
  json rules = json::array();
  for (std::string expression : BoardExpressions(board)) {
    expression = std::regex_replace(expression, std::regex(R"(\$__rate_interval)"), "1m");
    expression = std::regex_replace(expression, std::regex(R"(\$instance)"), ".*");
    rules.push_back({{"record", "board:panel" + std::to_string(rules.size())}, {"expr", expression}});
  }
  ASSERT_GT(rules.size(), 20u);
  test::TemporaryFolder folder;
  std::ofstream(folder.In("board.yml")) << json{{"groups", {{{"name", "board"}, {"rules", rules}}}}};
  const Ran checked = Shell("promtool check rules '" + folder.In("board.yml") + "' 2>&1");
  EXPECT_TRUE(checked.ok()) << checked.output;
}

// Grafana's grid is 24 wide.
TEST(Monitoring, PanelsOfTheBoardDoNotCoverEachOther) {
  const json board = json::parse(ReadAll(kMonitoring + "registry-board.json"));
  std::set<std::pair<int, int>> taken;
  std::set<int> ids;
  for (const json& panel : board.at("panels")) {
    EXPECT_TRUE(ids.insert(panel.at("id").get<int>()).second);
    const json& at = panel.at("gridPos");
    const int x = at.at("x"), y = at.at("y"), right = x + at.at("w").get<int>();
    EXPECT_LE(right, 24) << panel.at("title");
    for (int row = y; row < y + at.at("h").get<int>(); ++row) {
      for (int column = x; column < right; ++column)
        EXPECT_TRUE(taken.emplace(row, column).second) << panel.at("title");
    }
  }
}

}  // namespace
}  // namespace registry
