// The clauses of the program and those of schemas/README.md are the same, and every one that a case names is there.
#include "clients/conformance/clauses.h"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>

#include "clients/conformance/run.h"

namespace registry::conformance {
namespace {

std::string RowOf(const Clause& clause) {
  const std::string who = clause.mno && clause.asp ? "MNO, ASP" : clause.mno ? "MNO" : "ASP";
  return "| " + std::string(clause.number) + " | " + who + " | " + std::string(clause.text) + " |";
}

std::vector<std::string> RowsOfThePage() {
  static const std::regex kRow(R"(\| [PFJA]\d+ \|.*)");
  std::ifstream in(std::string(REGISTRY_SOURCE_DIR) + "/schemas/README.md");
  std::vector<std::string> rows;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("## ")) inside = line == "## What binds a party";
    if (inside && std::regex_match(line, kRow)) rows.push_back(line);
  }
  return rows;
}

TEST(Clauses, AreThoseOfThePageInItsOrder) {
  std::vector<std::string> rows;
  for (const Clause& clause : Clauses()) rows.push_back(RowOf(clause));
  EXPECT_EQ(rows, RowsOfThePage());
}

TEST(Clauses, EachNumberIsThereOnce) {
  std::set<std::string_view> numbers;
  for (const Clause& clause : Clauses()) EXPECT_TRUE(numbers.insert(clause.number).second) << clause.number;
  EXPECT_NE(FindClause("P7"), nullptr);
  EXPECT_EQ(FindClause("P99"), nullptr);
}

TEST(Clauses, ACaseAsksOnlyForWhatBindsItsRole) {
  for (const std::string role : {"mno", "asp"}) {
    std::set<std::string> names;
    for (const Case& one : CasesOf(role)) {
      EXPECT_TRUE(names.insert(one.name).second) << one.name;
      EXPECT_FALSE(one.clauses.empty()) << one.name;
      for (const std::string& number : one.clauses) {
        const Clause* clause = FindClause(number);
        ASSERT_NE(clause, nullptr) << one.name << " asks about " << number;
        EXPECT_TRUE(role == "mno" ? clause->mno : clause->asp) << one.name << " asks about " << number;
      }
    }
  }
}

// What deletes the profile leaves nothing to ask about.
TEST(Cases, BeginWithTheConnectionAndEndWithTheProfile) {
  EXPECT_EQ(CasesOf("mno").front().name, "connect");
  EXPECT_EQ(CasesOf("mno").back().name, "profile-delete");
  EXPECT_EQ(CasesOf("asp").front().name, "connect");
}

}  // namespace
}  // namespace registry::conformance
