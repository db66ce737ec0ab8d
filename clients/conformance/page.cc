// A run as a page for people (report.h).
#include "clients/conformance/clauses.h"
#include "clients/conformance/report.h"

namespace registry::conformance {
namespace {

constexpr std::size_t kShownMax = 2000;  // octets of one payload

constexpr const char* kPageStyle = R"css(
:root{color-scheme:light dark;--ground:#f7f8fa;--card:#fff;--ink:#1b2430;--soft:#5a6675;--rule:#dde2e8;--good:#18794e;
--bad:#b42318}
@media (prefers-color-scheme:dark){:root{--ground:#10151c;--card:#18202a;--ink:#e6ebf1;--soft:#9aa7b5;--rule:#2d3845;
--good:#4cc38a;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:64rem;margin:0 auto;padding:1.25rem 1rem 3rem}
h1{font-size:1.5rem;margin:.25rem 0}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}h3{font-size:1rem;margin:0}
p{margin:.25rem 0 .75rem}.soft{color:var(--soft)}
.outcome{border-left:4px solid var(--bad);padding-left:.75rem}.outcome.good{border-color:var(--good)}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .5rem;border-bottom:1px solid var(--rule);
overflow-wrap:anywhere}
thead th{color:var(--soft)}tbody th{font-weight:600;white-space:nowrap}
.finding{white-space:nowrap;color:var(--soft)}.finding.passed{color:var(--good)}.finding.failed{color:var(--bad);
font-weight:600}
article{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:.75rem 1rem;margin:.5rem 0;
break-inside:avoid}
article ul{margin:.25rem 0;padding-left:1.25rem}
details{margin-top:.5rem}summary{cursor:pointer;color:var(--soft)}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.25rem 0 .75rem;font-size:.8rem}
@media (max-width:34rem){thead{display:none}tr,th,td{display:block;border:0;padding:.1rem 0}
tr{border-bottom:1px solid var(--rule);padding:.5rem 0}}
@media print{body{background:#fff;color:#000}article{border-color:#999}}
)css";

bool IsControl(unsigned char c) { return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f; }

// What is no UTF-8 has become U+FFFD before, in json's own way.
std::string Readable(std::string_view text) {
  const std::string quoted =
      nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(quoted).get<std::string>();
}

std::string Html(std::string_view text) {
  std::string html;
  for (const char c : Readable(text)) {
    if (c == '&') {
      html += "&amp;";
    } else if (c == '<') {
      html += "&lt;";
    } else if (c == '>') {
      html += "&gt;";
    } else if (c == '"') {
      html += "&quot;";
    } else if (IsControl(static_cast<unsigned char>(c))) {
      html += "\xef\xbf\xbd";
    } else {
      html += c;
    }
  }
  return html;
}

std::string FindingCell(Finding finding) {
  const char* name = finding == Finding::kPassed ? " passed" : finding == Finding::kFailed ? " failed" : "";
  return std::string("<span class=\"finding") + name + "\">" + NameOf(finding) + "</span>";
}

std::string CasesOfClause(const ConformanceRun& run, std::string_view number) {
  std::string names;
  for (const CaseRun& one : run.cases) {
    for (const std::string& clause : one.clauses) {
      if (clause == number) names += (names.empty() ? "" : ", ") + one.name;
    }
  }
  return names.empty() ? "–" : Html(names);
}

std::string ClauseTable(const ConformanceRun& run) {
  std::string html =
      "<h2>By clause</h2>\n<p class=\"soft\">The clauses are those of schemas/README.md, “What binds a "
      "party”.</p>\n"
      "<table><thead><tr><th scope=\"col\">clause</th><th scope=\"col\">finding</th><th scope=\"col\">what "
      "it asks</th>"
      "<th scope=\"col\">cases</th></tr></thead><tbody>\n";
  const auto found = run.ByClause();
  for (const Clause& clause : Clauses()) {
    const auto at = found.find(std::string(clause.number));
    if (at == found.end()) continue;
    html += "<tr><th scope=\"row\">" + Html(clause.number) + "</th><td>" + FindingCell(at->second) +
            "</td><td>" + Html(clause.text) + "</td><td>" + CasesOfClause(run, clause.number) +
            "</td></tr>\n";
  }
  return html + "</tbody></table>\n";
}

std::string Messages(const CaseRun& one) {
  if (one.outcome() != Finding::kFailed || one.said.empty()) return {};
  std::string html = "<details><summary>" + std::to_string(one.said.size()) + " messages</summary>\n";
  for (const Said& said : one.said) {
    html += "<p class=\"soft\">" + ToRfc3339(said.at) +
            (said.by_party ? " party → registry, " : " registry → party, ") + Html(said.topic) + ", " +
            std::to_string(said.octets) + " octets</p><pre>" + Html(said.payload.substr(0, kShownMax)) +
            (said.octets > kShownMax ? " …" : "") + "</pre>\n";
  }
  if (one.left_out > 0)
    html += "<p class=\"soft\">" + std::to_string(one.left_out) + " more were left out.</p>\n";
  return html + "</details>";
}

std::string Article(const CaseRun& one) {
  std::string html = "<article><h3>" + Html(one.name) + " " + FindingCell(one.outcome()) +
                     "</h3>\n<p class=\"soft\">" + Html(one.about) + "</p>\n<ul>";
  for (const Check& check : one.checks)
    html +=
        "<li>" + Html(check.clause) + " " + FindingCell(check.finding) + ": " + Html(check.what) + "</li>\n";
  return html + "</ul>" + Messages(one) + "</article>\n";
}

}  // namespace

std::string ToHtml(const ConformanceRun& run) {
  const std::string title = "Conformance of " + run.party + (run.role == "mno" ? ", an MNO" : ", an ASP");
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n<title>" +
      Html(title) + "</title>\n<style>" + kPageStyle + "</style></head>\n<body><main>\n<h1>" + Html(title) +
      "</h1>\n" + "<p class=\"outcome" + (run.Good() ? " good" : "") + "\">" + Html(OutcomeOf(run)) +
      "</p>\n<p class=\"soft\">Begun " + ToRfc3339(run.begun) + ", took " +
      std::to_string(static_cast<int>(run.seconds)) + " s, seed " + std::to_string(run.seed) + ".</p>\n" +
      ClauseTable(run) + "<h2>By case</h2>\n";
  for (const CaseRun& one : run.cases) html += Article(one);
  return html + "</main></body></html>\n";
}

}  // namespace registry::conformance
