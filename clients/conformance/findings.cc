#include "clients/conformance/findings.h"

#include <algorithm>

#include "clients/conformance/clauses.h"

namespace registry::conformance {
namespace {

// The more it says, the higher: one failure outweighs any number of passes.
int WeightOf(Finding finding) {
  switch (finding) {
    case Finding::kFailed:
      return 4;
    case Finding::kPassed:
      return 3;
    case Finding::kNotRun:
      return 2;
    case Finding::kNotObservable:
      return 1;
    case Finding::kNotCovered:
      return 0;
  }
  return 0;
}

Finding Heavier(Finding a, Finding b) { return WeightOf(a) >= WeightOf(b) ? a : b; }

}  // namespace

const char* NameOf(Finding finding) {
  switch (finding) {
    case Finding::kPassed:
      return "passed";
    case Finding::kFailed:
      return "failed";
    case Finding::kNotObservable:
      return "not observable";
    case Finding::kNotRun:
      return "not run";
    case Finding::kNotCovered:
      return "not covered";
  }
  return "";
}

Finding CaseRun::outcome() const {
  Finding worst = Finding::kNotCovered;
  for (const Check& check : checks) worst = Heavier(worst, check.finding);
  return worst == Finding::kNotCovered ? Finding::kNotRun : worst;
}

bool ConformanceRun::Good() const {
  const auto is = [&](Finding finding) {
    return std::any_of(cases.begin(), cases.end(),
                       [&](const CaseRun& one) { return one.outcome() == finding; });
  };
  return trouble.empty() && is(Finding::kPassed) && !is(Finding::kFailed);
}

std::map<std::string, Finding> ConformanceRun::ByClause() const {
  std::map<std::string, Finding> found;
  for (const Clause& clause : Clauses()) {
    if (role == "mno" ? clause.mno : clause.asp) found[std::string(clause.number)] = Finding::kNotCovered;
  }
  for (const CaseRun& one : cases) {
    for (const std::string& clause : one.clauses) {
      if (const auto at = found.find(clause); at != found.end() && one.checks.empty())
        at->second = Heavier(at->second, Finding::kNotRun);
    }
    for (const Check& check : one.checks) {
      if (const auto at = found.find(check.clause); at != found.end())
        at->second = Heavier(at->second, check.finding);
    }
  }
  return found;
}

}  // namespace registry::conformance
