#include "simulators/lab/outcome.h"

#include <cstdio>

namespace registry::lab {
namespace {

void SayFailures(const DemoReport& report) {
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < std::min(kShown, report.failed.size()); ++i) {
    const auto& failure = report.failed[i];
    std::printf("FAILED  %s  %s: %s\n", failure.device.c_str(), failure.step.c_str(), failure.reason.c_str());
  }
  if (report.failed.size() > kShown) std::printf("and %zu more\n", report.failed.size() - kShown);
}

void SayCosts(const DemoReport& report) {
  std::printf("CPU per activation:");
  for (const auto& [part, micros] : report.cpu_us_per_activation)
    std::printf(" %s %.0f us", part.c_str(), micros);
  std::printf("\nmemory at most:");
  for (const auto& [process, octets] : report.peak_octets)
    std::printf(" %s %.0f MiB", process.c_str(), static_cast<double>(octets) / 1048576);
  std::printf("\n");
}

void SayFigures(const DemoRun& run) {
  const DemoReport& report = run.report;
  std::printf("\n%s\n", report.devices <= 20 ? DeviceTable(run.devices).c_str() : StepTable(report).c_str());
  if (run.trouble.empty()) SayFailures(report);  // otherwise all of the same
  std::printf(
      "%zu devices: %zu active; of %zu that check %zu verified, %zu sessions, %zu of %zu refused after "
      "deactivation; "
      "%.1f s, %.1f activations/s\n",
      report.devices, report.active, report.checked, report.verifications_ok, report.sessions_ok,
      report.refused, report.refusals_wanted, report.duration_s, report.activations_per_s);
  if (report.telemetry_wanted > 0) {
    std::printf(
        "%zu of %zu devices sent telemetry to their ASP's broker over TLS with the key in the card; %zu of "
        "%zu put "
        "out there after deactivation\n",
        report.telemetry_heard, report.telemetry_wanted, report.put_out, report.refusals_wanted);
  }
  if (report.over_the_air.any()) std::printf("%s\n", TextOf(report.over_the_air).c_str());
  SayCosts(report);
}

}  // namespace

void SayWhere(const Lab& lab) {
  std::printf("logs     %s\nledger   %s\n", lab.layout().In("logs").c_str(),
              lab.layout().Registry("ledger").c_str());
}

// Where a trouble came before the first device was active there are no figures: what failed is all there is to say.
void SayOutcome(const DemoRun& run) {
  if (run.trouble.empty() || run.report.active > 0) SayFigures(run);
  const std::string sentence = OutcomeSentence(run.report);
  if (!sentence.empty()) std::printf("\n%s\n", sentence.c_str());
}

void SayLoad(const RunRecord& record) {
  const DemoReport& report = record.report;
  const ArrivalCount arrivals = record.arrivals.value_or(ArrivalCount{});
  if (report.active > 0) {
    std::printf("\n%s\n", StepTable(report).c_str());
    if (report.trouble.empty()) SayFailures(report);
    std::printf(
        "%zu arrivals: %zu started, %zu missed, %zu active; %.1f s, %.1f of %.1f activations/s offered\n",
        arrivals.planned, arrivals.started, arrivals.missed, report.active, report.duration_s,
        report.activations_per_s, record.offered_per_s);
    SayCosts(report);
  }
  const std::string sentence = LoadSentence(record);
  if (!sentence.empty()) std::printf("\n%s\n", sentence.c_str());
}

}  // namespace registry::lab
