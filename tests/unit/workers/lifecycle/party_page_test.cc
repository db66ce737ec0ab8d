// The table of states and commands in schemas/PARTY.md, asked of the real pipeline cell by cell.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/domain/job_kinds.h"

namespace registry::test {
namespace {

using Row = std::vector<std::string>;

std::string Trimmed(std::string cell) {
  for (const char* drop : {" ", "`"}) {
    while (cell.starts_with(drop)) cell.erase(0, 1);
    while (cell.ends_with(drop)) cell.pop_back();
  }
  return cell;
}

Row CellsOf(const std::string& line) {
  Row cells;
  std::istringstream words(line.substr(1));
  for (std::string cell; std::getline(words, cell, '|');) cells.push_back(Trimmed(cell));
  return cells;
}

// The page's table whose first line begins with "| command |".
std::vector<Row> Table() {
  std::ifstream page(REGISTRY_SOURCE_DIR "/schemas/PARTY.md");
  std::vector<Row> rows;
  for (std::string line; std::getline(page, line);) {
    if (rows.empty() && !line.starts_with("| command |")) continue;
    if (line.empty()) break;
    rows.push_back(CellsOf(line));
  }
  return rows;
}

// A claimed device in the state, whichever way leads there.
TestRegistry::Registered In(TestRegistry& registry, const std::string& state) {
  registry.PublishEndpoint();
  const auto device = registry.Register();
  const json named = {{"device", device.device}};
  REG_CHECK(Claim(registry, device).accepted());
  if (state == "registered") return device;
  REG_CHECK(Attach(registry, device.device).accepted());
  if (state == "attached") return device;
  REG_CHECK(
      registry.Ask("mno-a", "csr.submit", {{"device", device.device}, {"csr", NewCsrPem()}}).accepted());
  if (state == "certified") return device;
  registry.ServeZone();
  if (state == "published") return device;
  const auto push = JobOf(registry, device.device, domain::JobKind::kPayloadPush);
  REG_CHECK(Report(registry, push, {{"outcome", "success"}}).accepted());
  if (state == "active") return device;
  REG_CHECK(registry.Ask("asp-a", "device.deactivate", named).accepted());
  if (state == "deactivated") return device;
  REG_CHECK(state == "deleted" && registry.Ask("asp-a", "device.delete", named).accepted());
  return device;
}

Said Asked(TestRegistry& registry, const std::string& command, TestRegistry::Registered device) {
  if (command == "device.claim` again, used code") return Claim(registry, device);
  if (command == "device.claim` by another ASP") {
    device.code = "AAAA-BBBB-CCCC";
    registry.PublishEndpoint("asp-b");
    return Claim(registry, device, "asp-b");
  }
  const std::string name = command.substr(0, command.find('`'));
  json data = {{"device", device.device}};
  if (command == "csr.submit") data["csr"] = NewCsrPem();
  if (name == "device.move") data["endpoint"] = "main";
  const bool by_mno = name == "device.attach" || name == "device.detach" || name == "csr.submit";
  return registry.Ask(by_mno ? "mno-a" : "asp-a", name, data);
}

TEST(PartyPage, SaysWhatEveryCommandDoesInEveryState) {
  const std::vector<Row> table = Table();
  ASSERT_EQ(table.size(), 18u);  // the heading, the line below it, sixteen commands
  TestRegistry registry;
  for (std::size_t row = 2; row < table.size(); ++row) {
    ASSERT_EQ(table[row].size(), 8u);
    for (std::size_t column = 1; column < table[row].size(); ++column) {
      const std::string& state = table[0][column];
      SCOPED_TRACE(table[row][0] + " in " + state);
      const auto device = In(registry, state);
      const Said said = Asked(registry, table[row][0], device);
      const std::string expected = table[row][column] == "=" ? state : table[row][column];
      const std::string now(domain::StateName(registry.Device(device.device).state));
      EXPECT_EQ(said.accepted() ? now : said.symbol(), expected);
      if (!said.accepted()) {
        EXPECT_EQ(now, state);
      }
    }
  }
}

}  // namespace
}  // namespace registry::test
