#include "simulators/lab/outcome.h"

#include <cstdio>

#include "simulators/lab/one_device.h"

namespace registry::lab {
namespace {

constexpr std::size_t kIndent = 2, kLabel = 13;

void Say(const Terminal& terminal, const std::string& text) {
  std::printf("%s\n", Folded(text, terminal.columns, kIndent).c_str());
}

void SayFailures(const DemoReport& report, const Terminal& terminal) {
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < std::min(kShown, report.failed.size()); ++i) {
    const auto& failure = report.failed[i];
    std::printf("%s  %s  %s: %s\n", Inked(terminal, Ink::kBad, "FAILED").c_str(), failure.device.c_str(),
                failure.step.c_str(), failure.reason.c_str());
  }
  if (report.failed.size() > kShown) std::printf("and %zu more\n", report.failed.size() - kShown);
}

std::string Whole(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", value);
  return text;
}

void SayCosts(const DemoReport& report, const Terminal& terminal) {
  std::string cpu = "CPU per activation:", memory = "Memory at most, in MiB:";
  for (const auto& [part, micros] : report.cpu_us_per_activation)
    cpu += " " + part + " " + Whole(micros) + " us,";
  for (const auto& [process, octets] : report.peak_octets)
    memory += " " + process + " " + Whole(static_cast<double>(octets) / 1048576) + ",";
  for (std::string* const text : {&cpu, &memory}) {
    if (text->back() == ',') text->back() = '.';
    Say(terminal, *text);
  }
}

std::string Of(std::size_t part, std::size_t whole) {
  return std::to_string(part) + " of " + std::to_string(whole);
}

void SayCounts(const DemoReport& report, const Terminal& terminal) {
  Say(terminal, Of(report.active, report.devices) + " devices are active, after " +
                    Tenths(report.duration_s) + " s: " + Tenths(report.activations_per_s) +
                    " activations/s.");
  Say(terminal, Of(report.verifications_ok, report.checked) + " verified what they were given, " +
                    Of(report.sessions_ok, report.checked) + " held a session with their ASP.");
  if (report.telemetry_wanted > 0) {
    Say(terminal, Of(report.telemetry_heard, report.telemetry_wanted) +
                      " sent telemetry to their ASP's broker over TLS with the key in the card.");
  }
  std::string refused = Of(report.refused, report.refusals_wanted) + " were refused after deactivation";
  if (report.telemetry_wanted > 0)
    refused += ", " + Of(report.put_out, report.refusals_wanted) + " put out by the broker";
  Say(terminal, refused + ".");
}

// Of the devices that are through and were left alone the first.
std::string AnyActive(const DemoRun& run) {
  for (const auto& [id, device] : run.devices) {
    if (device.Complete() && !run.deactivated.contains(id)) return id;
  }
  return {};
}

void SayOneDevice(const DemoRun& run, const DemoOptions& options) {
  const std::string device = AnyActive(run);
  if (device.empty() || !run.lab || !run.trouble.empty()) return;
  const Terminal& terminal = options.terminal;
  std::printf("\n%s\n", Inked(terminal, Ink::kHeading, "What one of them has").c_str());
  for (const auto& [label, text] : DescribeDevice(run.lab->layout(), options.lab.program_folder, device)) {
    std::printf("%s\n", Labelled(label, text, kLabel, terminal.columns).c_str());
  }
}

void SayFigures(const DemoRun& run, const DemoOptions& options) {
  const DemoReport& report = run.report;
  const Terminal& terminal = options.terminal;
  std::printf(
      "\n%s\n%s\n", Inked(terminal, Ink::kHeading, "How long each step took, in milliseconds").c_str(),
      report.devices <= 20 ? DeviceTable(run.devices, terminal.columns).c_str() : StepTable(report).c_str());
  if (const std::string table = RevocationTable(report); !table.empty()) {
    const char* const head = "How long a revocation took, from the ASP's command on, in milliseconds";
    std::printf("%s\n%s\n", Inked(terminal, Ink::kHeading, head).c_str(), table.c_str());
  }
  if (run.trouble.empty()) SayFailures(report, terminal);  // otherwise all of the same
  SayCounts(report, terminal);
  if (report.over_the_air.any()) Say(terminal, TextOf(report.over_the_air));
  SayCosts(report, terminal);
  SayOneDevice(run, options);
  std::printf("\n");
}

}  // namespace

void SayWhere(const Lab& lab) {
  std::printf("logs     %s\nledger   %s\n", lab.layout().In("logs").c_str(),
              lab.postgres() != nullptr ? lab.postgres()->connection().c_str()
                                        : lab.layout().Registry("ledger").c_str());
}

// Where a trouble came before the first device was active there are no figures: what failed is all there is to say.
void SayOutcome(const DemoRun& run, const DemoOptions& options) {
  if (run.trouble.empty() || run.report.active > 0) SayFigures(run, options);
  const std::string sentence = OutcomeSentence(run.report);
  if (!sentence.empty()) std::printf("\n%s\n", Inked(options.terminal, Ink::kBad, sentence).c_str());
}

void SayLoad(const RunRecord& record, const Terminal& terminal) {
  const DemoReport& report = record.report;
  const ArrivalCount arrivals = record.arrivals.value_or(ArrivalCount{});
  if (report.active > 0) {
    std::printf("\n%s\n", StepTable(report).c_str());
    if (report.trouble.empty()) SayFailures(report, terminal);
    std::printf(
        "%zu arrivals: %zu started, %zu missed, %zu active; %.1f s\n%.1f of %.1f activations/s offered\n",
        arrivals.planned, arrivals.started, arrivals.missed, report.active, report.duration_s,
        report.activations_per_s, record.offered_per_s);
    SayCosts(report, terminal);
  }
  const std::string sentence = LoadSentence(record);
  if (!sentence.empty()) std::printf("\n%s\n", sentence.c_str());
}

}  // namespace registry::lab
