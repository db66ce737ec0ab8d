#include "clients/conformance/report.h"

#include <algorithm>
#include <fstream>

#include "clients/conformance/clauses.h"

namespace registry::conformance {
namespace {

using nlohmann::json;

json SaidIn(const CaseRun& one) {
  json said = json::array();
  for (const Said& message : one.said) {
    said.push_back({{"at", ToRfc3339(message.at)},
                    {"by", message.by_party ? "party" : "registry"},
                    {"topic", message.topic},
                    {"octets", message.octets},
                    {"payload", message.payload}});
  }
  return said;
}

json ToJson(const CaseRun& one) {
  json checks = json::array();
  for (const Check& check : one.checks)
    checks.push_back({{"clause", check.clause}, {"finding", NameOf(check.finding)}, {"what", check.what}});
  json made{{"name", one.name}, {"about", one.about},     {"clauses", one.clauses},
            {"checks", checks}, {"seconds", one.seconds}, {"outcome", NameOf(one.outcome())}};
  if (one.outcome() != Finding::kFailed) return made;
  made["messages"] = SaidIn(one);
  made["messagesLeftOut"] = one.left_out;
  return made;
}

json ClausesOf(const ConformanceRun& run) {
  json clauses = json::array();
  const auto found = run.ByClause();
  for (const Clause& clause : Clauses()) {
    const auto at = found.find(std::string(clause.number));
    if (at == found.end()) continue;
    json cases = json::array();
    for (const CaseRun& one : run.cases) {
      if (std::find(one.clauses.begin(), one.clauses.end(), clause.number) != one.clauses.end())
        cases.push_back(one.name);
    }
    clauses.push_back({{"number", clause.number},
                       {"text", clause.text},
                       {"finding", NameOf(at->second)},
                       {"cases", cases}});
  }
  return clauses;
}

}  // namespace

json ToJson(const ConformanceRun& run) {
  json cases = json::array();
  for (const CaseRun& one : run.cases) cases.push_back(ToJson(one));
  return {{"role", run.role},         {"party", run.party},        {"begun", ToRfc3339(run.begun)},
          {"seconds", run.seconds},   {"seed", run.seed},          {"trouble", run.trouble},
          {"good", run.Good()},       {"outcome", OutcomeOf(run)}, {"cases", cases},
          {"clauses", ClausesOf(run)}};
}

std::string OutcomeOf(const ConformanceRun& run) {
  std::map<Finding, std::size_t> clauses;
  for (const auto& [number, finding] : run.ByClause()) ++clauses[finding];
  std::string text;
  for (const Finding finding : {Finding::kPassed, Finding::kFailed, Finding::kNotObservable, Finding::kNotRun,
                                Finding::kNotCovered}) {
    if (clauses[finding] > 0)
      text += (text.empty() ? "" : ", ") + std::to_string(clauses[finding]) + " " + NameOf(finding);
  }
  return "Clauses of " + run.party + ": " + text + "." +
         (run.trouble.empty() ? "" : " The run ended early: " + run.trouble + ".");
}

Status WriteReport(const std::string& file, const ConformanceRun& run) {
  const bool html = file.ends_with(".html") || file.ends_with(".htm");
  std::ofstream out(file, std::ios::trunc);
  out << (html ? ToHtml(run) : ToJson(run).dump(2, ' ', false, json::error_handler_t::replace) + "\n");
  if (out.flush()) return Done{};
  return Error::Make(Code::kFailed, "report_not_written", "cannot write the report to " + file);
}

}  // namespace registry::conformance
