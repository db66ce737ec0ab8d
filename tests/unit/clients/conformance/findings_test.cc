#include "clients/conformance/findings.h"

#include <gtest/gtest.h>

namespace registry::conformance {
namespace {

ConformanceRun RunOf(std::vector<CaseRun> cases) {
  ConformanceRun run;
  run.role = "mno";
  run.party = "mno-a";
  run.cases = std::move(cases);
  return run;
}

CaseRun CaseOf(const std::string& name, std::vector<std::string> clauses, std::vector<Check> checks) {
  CaseRun one;
  one.name = name;
  one.clauses = std::move(clauses);
  one.checks = std::move(checks);
  return one;
}

TEST(Findings, OneFailureOutweighsEveryPass) {
  const ConformanceRun run =
      RunOf({CaseOf("a", {"J3"}, {{"J3", Finding::kPassed, ""}}),
             CaseOf("b", {"J3"}, {{"J3", Finding::kFailed, ""}, {"J3", Finding::kPassed, ""}})});
  EXPECT_EQ(run.ByClause().at("J3"), Finding::kFailed);
  EXPECT_EQ(run.cases[1].outcome(), Finding::kFailed);
  EXPECT_FALSE(run.Good());
}

TEST(Findings, AClauseIsNotCoveredWithoutACaseAndNotRunWithoutACheck) {
  const ConformanceRun run =
      RunOf({CaseOf("a", {"J3"}, {}), CaseOf("b", {"P1"}, {{"P1", Finding::kPassed, ""}})});
  EXPECT_EQ(run.ByClause().at("J3"), Finding::kNotRun);
  EXPECT_EQ(run.ByClause().at("J4"), Finding::kNotCovered);
  EXPECT_EQ(run.ByClause().at("P1"), Finding::kPassed);
  EXPECT_FALSE(run.ByClause().contains("A1")) << "it binds no MNO";
  EXPECT_TRUE(run.Good());
}

TEST(Findings, ARunInWhichNothingCouldBeAskedIsNotGood) {
  EXPECT_FALSE(RunOf({}).Good());
  EXPECT_FALSE(RunOf({CaseOf("a", {"P14"}, {{"P14", Finding::kNotObservable, ""}})}).Good());
  ConformanceRun ended = RunOf({CaseOf("b", {"P1"}, {{"P1", Finding::kPassed, ""}})});
  ended.trouble = "interrupted";
  EXPECT_FALSE(ended.Good());
}

}  // namespace
}  // namespace registry::conformance
