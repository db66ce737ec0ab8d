// A run as a page for people (run_record.h).
#include <algorithm>
#include <numeric>

#include "simulators/lab/budgets.h"
#include "simulators/lab/run_record.h"
#include "simulators/page/text.h"

namespace registry::lab {
namespace {

constexpr std::size_t kFailuresShown = 100;
constexpr const char* kParts[] = {"registry", "broker", "dns", "simulators"};

double P(const DemoReport& report, const char* step, double share) {
  const auto found = report.steps.find(step);
  return found == report.steps.end() ? 0 : Quantile(found->second.ms, share);
}

bool Measured(const DemoReport& report, const char* step) {
  const auto found = report.steps.find(step);
  return found != report.steps.end() && !found->second.ms.empty();
}

double WholeCpu(const DemoReport& report) {
  const auto& parts = report.cpu_us_per_activation;
  return std::accumulate(parts.begin(), parts.end(), 0.0,
                         [](double sum, const auto& part) { return sum + part.second; });
}

std::string AllOf(const RunRecord& record) {
  const DemoReport& report = record.report;
  return std::to_string(report.active) + " of " + std::to_string(report.devices) +
         " devices became active in " + page::Number(report.duration_s) + " s.";
}

std::string Sentence(const RunRecord& record) {
  const std::string wrong = record.arrivals ? LoadSentence(record) : OutcomeSentence(record.report);
  return wrong.empty() ? AllOf(record) : wrong;
}

std::vector<page::Tile> Tiles(const RunRecord& record) {
  const DemoReport& report = record.report;
  std::vector<page::Tile> tiles{
      {"activations a second", page::Number(report.activations_per_s),
       record.arrivals ? page::Number(record.offered_per_s) + " were offered" : "all at once"},
      {"active", page::Number(static_cast<double>(report.active)),
       "of " + page::Number(static_cast<double>(report.devices)) + " started"},
      {"whole activation", page::Duration(P(report, "whole", 0.5)),
       "half of them; 99 of 100 within " + page::Duration(P(report, "whole", 0.99))},
      {"CPU of registryd", page::Number(report.cpu_us_per_activation.at("registry")) + " µs",
       "per activation"},
      {"memory of registryd",
       page::Number(static_cast<double>(report.registry_peak_octets) / 1048576) + " MiB", "at most"}};
  if (!record.arrivals) return tiles;
  tiles.push_back({"missed arrivals", page::Number(static_cast<double>(record.arrivals->missed)),
                   "of " + page::Number(static_cast<double>(record.arrivals->planned)) + " planned"});
  return tiles;
}

// So much was offered as the budgets are meant for.
bool FullLoad(const RunRecord& record) {
  return !record.arrivals || record.offered_per_s >= RateBudget(record.check_share).value_or(0);
}

// A rate can only be held against the registry where so much was offered.
page::Verdict RateVerdict(const RunRecord& record) {
  const auto budget = RateBudget(record.check_share);
  const double rate = record.report.activations_per_s;
  page::Verdict verdict{
      "activations a second", page::Number(rate), budget ? "≥ " + page::Number(*budget) : "none", {}};
  if (budget && FullLoad(record)) verdict.kept = rate >= *budget;
  return verdict;
}

page::Verdict CpuVerdict(const RunRecord& record, const std::string& part, double micros) {
  const auto budget = CpuBudget(part, record.check_share);
  page::Verdict verdict{"CPU per activation, " + part,
                        page::Number(micros) + " µs",
                        budget ? "≤ " + page::Number(*budget) + " µs" : "none",
                        {}};
  // What runs without any device counts too: with few of them it says nothing.
  const bool kept = budget && micros <= *budget;
  if (budget && record.report.active > 0 && (kept || FullLoad(record))) verdict.kept = kept;
  return verdict;
}

// The budget is for half of what the registry shall do, so that more than that breaks nothing.
page::Verdict CertificateVerdict(const RunRecord& record, const char* name, double share, double budget_ms) {
  const double ms = P(record.report, "csr", share);
  page::Verdict verdict{std::string("CSR to certificate, ") + name,
                        page::Duration(ms),
                        "≤ " + page::Duration(budget_ms) + " at half load",
                        {}};
  const bool half = record.arrivals && record.offered_per_s <= RateBudget(record.check_share).value_or(0) / 2;
  const bool kept = ms <= budget_ms;
  if (Measured(record.report, "csr") && (kept || half)) verdict.kept = kept;
  return verdict;
}

std::vector<page::Verdict> Verdicts(const RunRecord& record) {
  std::vector<page::Verdict> verdicts{RateVerdict(record)};
  if (record.arrivals) {
    verdicts.push_back({"arrivals that were missed",
                        page::Number(static_cast<double>(record.arrivals->missed)), "0",
                        record.arrivals->missed == 0});
  }
  for (const char* part : kParts)
    verdicts.push_back(CpuVerdict(record, part, record.report.cpu_us_per_activation.at(part)));
  verdicts.push_back(CpuVerdict(record, "whole", WholeCpu(record.report)));
  verdicts.push_back(CertificateVerdict(record, "half of them", 0.5, kCertificateP50Ms));
  verdicts.push_back(CertificateVerdict(record, "99 of 100", 0.99, kCertificateP99Ms));
  return verdicts;
}

// Without moments that follow another too soon, as the last one does: a rate over so little says nothing.
std::vector<Moment> Apart(const std::vector<Moment>& moments) {
  constexpr double kApartS = 0.5;
  std::vector<Moment> apart;
  for (const Moment& moment : moments) {
    if (apart.empty() || moment.at_s - apart.back().at_s >= kApartS) apart.push_back(moment);
  }
  return apart;
}

// A count of every moment as a rate since the moment before.
template <class Count>
std::vector<double> RateOf(const std::vector<Moment>& moments, Count count) {
  std::vector<double> rates;
  for (std::size_t i = 1; i < moments.size(); ++i) {
    const double since_s = std::max(moments[i].at_s - moments[i - 1].at_s, 1e-3);
    rates.push_back((static_cast<double>(count(moments[i])) - static_cast<double>(count(moments[i - 1]))) /
                    since_s);
  }
  return rates;
}

std::vector<double> Seconds(const std::vector<Moment>& moments, std::size_t from) {
  std::vector<double> seconds;
  for (std::size_t i = from; i < moments.size(); ++i) seconds.push_back(moments[i].at_s);
  return seconds;
}

page::LineChart Throughput(const RunRecord& record) {
  const auto& moments = record.timeline;
  page::LineChart chart{"Throughput",        "Devices that became active, each second",
                        "seconds",           "devices a second",
                        Seconds(moments, 1), {}};
  chart.lines.push_back({"active", RateOf(moments, [](const Moment& m) { return m.active; })});
  if (!record.arrivals) return chart;
  chart.about = "Devices that arrived and devices that became active, each second";
  chart.lines.push_back({"arrived", RateOf(moments, [](const Moment& m) { return m.arrivals.started; })});
  if (record.arrivals->missed > 0)
    chart.lines.push_back({"missed", RateOf(moments, [](const Moment& m) { return m.arrivals.missed; })});
  return chart;
}

page::LineChart UnderWay(const RunRecord& record) {
  page::LineChart chart{"Under way",
                        "Devices that were started and are not through yet",
                        "seconds",
                        "devices",
                        Seconds(record.timeline, 0),
                        {{"under way", {}}}};
  for (const Moment& moment : record.timeline) {
    const std::size_t ended = std::min(moment.through + moment.given_up, moment.arrivals.started);
    chart.lines[0].y.push_back(static_cast<double>(moment.arrivals.started - ended));
  }
  return chart;
}

page::LineChart Cores(const RunRecord& record) {
  page::LineChart chart{"CPU over time", "Cores in use by each part", "seconds",
                        "cores",         Seconds(record.timeline, 1), {}};
  for (const char* part : kParts) {
    page::Line line{part, {}};
    for (std::size_t i = 1; i < record.timeline.size(); ++i) {
      const auto& cores = record.timeline[i].cores;
      line.y.push_back(cores.contains(part) ? cores.at(part) : 0);
    }
    chart.lines.push_back(std::move(line));
  }
  return chart;
}

page::LineChart Queues(const RunRecord& record) {
  page::LineChart chart{
      "Queues of the registry", "What waits there, from its metrics", "seconds", "waiting", {}, {}};
  for (const auto& [metric, name] : QueueMetrics()) chart.lines.push_back({name, {}});
  for (const Moment& moment : record.timeline) {
    if (moment.queues.size() < QueueMetrics().size()) continue;  // it did not answer
    chart.x.push_back(moment.at_s);
    for (std::size_t i = 0; i < chart.lines.size(); ++i)
      chart.lines[i].y.push_back(moment.queues.at(QueueMetrics()[i].first));
  }
  return chart;
}

page::SpanChart Latencies(const DemoReport& report) {
  page::SpanChart chart{
      "Latency of each step",
      "Half of the devices were faster than the first dot, 99 of 100 faster "
      "than the second. The axis is logarithmic. What each step measures is in simulators/lab/README.md.",
      "half within",
      "99 of 100 within",
      {"longest", "count", "failures"},
      {}};
  std::vector<std::string> order(std::begin(kSteps), std::end(kSteps));
  order.emplace_back("whole");
  for (const std::string& step : order) {
    const auto found = report.steps.find(step);
    if (found == report.steps.end()) continue;
    const auto& [ms, failures] = found->second;
    chart.rows.push_back(
        {step,
         Quantile(ms, 0.5),
         Quantile(ms, 0.99),
         {page::Duration(ms.empty() ? 0 : ms.back()), std::to_string(ms.size()), std::to_string(failures)}});
  }
  return chart;
}

page::BarChart CpuParts(const DemoReport& report) {
  page::BarChart chart{"CPU of an activation", "User and system time of each part", "µs each", {}, {}};
  for (const char* part : kParts) chart.rows.push_back({part, report.cpu_us_per_activation.at(part), {}});
  const auto server = report.cpu_us_per_activation.find("ledger");  // where it is in one
  if (server != report.cpu_us_per_activation.end())
    chart.rows.push_back({"ledger's server", server->second, {}});
  for (const auto& [kind, micros] : report.simulator_us_per_activation)
    chart.rows.push_back({"simulators: " + kind, micros, {}});
  return chart;
}

page::BarChart Memory(const DemoReport& report) {
  page::BarChart chart{"Memory", "The most that each process held", "MiB", {}, {}};
  for (const auto& [process, octets] : report.peak_octets)
    chart.rows.push_back({process, static_cast<double>(octets) / 1048576, {}});
  return chart;
}

page::Table Settings(const RunRecord& record) {
  page::Table table{"Settings", "How this run was made.", {"setting", "value"}, {}};
  for (const auto& [name, value] : record.settings) table.rows.push_back({name, value});
  return table;
}

page::Table Revocations(const DemoReport& report) {
  page::Table table{
      "Revocations",
      "From the moment at which the ASP sent its command. The resolver held the record then, and "
      "keeps it for what is left of its TTL.",
      {"device", "not served any more", "not in the resolver", "refused by its ASP"},
      {}};
  for (const auto& [device, unserved, disbelieved, refused] : report.revocations) {
    table.rows.push_back(
        {device, page::Duration(unserved), page::Duration(disbelieved), page::Duration(refused)});
  }
  return table;
}

page::Table Failures(const DemoReport& report) {
  const std::size_t shown = std::min(report.failed.size(), kFailuresShown);
  page::Table table{
      "Devices that did not get through",
      std::to_string(report.failed.size()) + " in all; " + std::to_string(shown) + " are shown.",
      {"device", "step", "reason"},
      {}};
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& failure = report.failed[i];
    table.rows.push_back({failure.device.empty() ? "no name" : failure.device, failure.step, failure.reason});
  }
  return table;
}

}  // namespace

page::Page PageOf(const RunRecord& whole) {
  RunRecord record = whole;
  record.timeline = Apart(whole.timeline);
  const DemoReport& report = record.report;
  page::Page page{record.title, Sentence(record), false, Tiles(record), Verdicts(record), {}};
  page.good = report.Good() && report.trouble.empty() && (!record.arrivals || record.arrivals->missed == 0);
  page.sections = {Throughput(record), UnderWay(record), Cores(record),  Queues(record),
                   Latencies(report),  CpuParts(report), Memory(report), Settings(record)};
  if (!report.revocations.empty()) page.sections.emplace_back(Revocations(report));
  if (!report.failed.empty()) page.sections.emplace_back(Failures(report));
  return page;
}

}  // namespace registry::lab
