#include "simulators/lab/run_record.h"

#include <fstream>

namespace registry::lab {
namespace {

nlohmann::json ToJson(const Moment& moment) {
  return {{"at_s", moment.at_s},
          {"started", moment.arrivals.started},
          {"missed", moment.arrivals.missed},
          {"active", moment.active},
          {"through", moment.through},
          {"given_up", moment.given_up},
          {"cores", moment.cores},
          {"queues", moment.queues}};
}

}  // namespace

nlohmann::json ToJson(const RunRecord& record) {
  nlohmann::json json = ToJson(record.report);
  if (!record.arrivals) return json;
  json["arrivals"] = {{"planned", record.arrivals->planned},
                      {"started", record.arrivals->started},
                      {"missed", record.arrivals->missed},
                      {"offered_per_s", record.offered_per_s}};
  for (const auto& [name, value] : record.settings) json["settings"][name] = value;
  json["timeline"] = nlohmann::json::array();
  for (const Moment& moment : record.timeline) json["timeline"].push_back(ToJson(moment));
  return json;
}

Status WriteReport(const std::string& file, const RunRecord& record) {
  const bool html = file.ends_with(".html") || file.ends_with(".htm");
  std::ofstream out(file, std::ios::trunc);
  out << (html ? page::ToHtml(PageOf(record))
               : ToJson(record).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  if (out.flush()) return Done{};
  return Error::Make(Code::kFailed, "report_not_written", "cannot write the report to " + file);
}

std::string LoadSentence(const RunRecord& record) {
  const DemoReport& report = record.report;
  const ArrivalCount arrivals = record.arrivals.value_or(ArrivalCount{});
  const std::string through = std::to_string(report.active) + " of " + std::to_string(arrivals.started) +
                              " devices that were started became active";
  if (report.trouble.starts_with("interrupted")) return "The load was interrupted; " + through + " by then.";
  if (!report.trouble.empty()) return "The load failed; " + through + ". " + report.trouble;
  if (!report.Good())
    return "The load failed; " + through + ", the others are named with the step that failed.";
  if (arrivals.missed == 0) return "";
  return "The registry could not keep up; " + through + ", and " + std::to_string(arrivals.missed) + " of " +
         std::to_string(arrivals.planned) + " arrivals were missed.";
}

}  // namespace registry::lab
