// clients/conformance/report.h: a run as JSON for programs, and as one HTML page for people that needs no network and no
// script.
// Safety: whatever a party has said is escaped in the page, and is UTF-8 in the JSON (what is none becomes U+FFFD).
// Plain functions, any thread. Errors: report_not_written.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "clients/conformance/findings.h"
#include "schemas/base/result.h"

namespace registry::conformance {

nlohmann::json ToJson(const ConformanceRun& run);
std::string ToHtml(const ConformanceRun& run);
// By the end of the name: HTML for ".html" and ".htm", else JSON.
Status WriteReport(const std::string& file, const ConformanceRun& run);
// The outcome in a sentence.
std::string OutcomeOf(const ConformanceRun& run);

}  // namespace registry::conformance
