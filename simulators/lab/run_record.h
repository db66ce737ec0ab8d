// simulators/lab/run_record.h: all that is kept of one run, a demo or a load, and how it is written: JSON for programs, one
// HTML file for people. Plain values; any thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "schemas/base/result.h"
#include "simulators/lab/demo_report.h"
#include "simulators/lab/timeline.h"
#include "simulators/page/page.h"

namespace registry::lab {

struct RunRecord {
  std::string title;
  DemoReport report;
  double check_share = 1;                // checks.h; the budgets depend on it
  std::optional<ArrivalCount> arrivals;  // of a load
  double offered_per_s = 0;              // of a load
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<Moment> timeline;
};

page::Page PageOf(const RunRecord& record);
// The report; of a load its arrivals, settings and timeline too.
nlohmann::json ToJson(const RunRecord& record);
// By the end of the name: HTML for ".html" and ".htm", else JSON. Errors: report_not_written.
Status WriteReport(const std::string& file, const RunRecord& record);
// What kept a load from success: the outcome of its devices, then what was missed; empty when nothing did.
std::string LoadSentence(const RunRecord& record);

}  // namespace registry::lab
