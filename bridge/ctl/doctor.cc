#include "bridge/ctl/doctor.h"

#include <algorithm>
#include <iostream>

#include "bridge/ctl/finding.h"
#include "bridge/ctl/ledger_source.h"

namespace registry::ctl {
namespace {

constexpr int kDoctorFault = 3;

struct Examined {
  AskOptions ask;
  bool json = false;
};

const char* Word(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood:
      return "good";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kFault:
      return "fault";
    case Verdict::kSkipped:
      return "skipped";
  }
  return "";
}

Findings LookAtAll(const app::Config& config, const AskOptions& ask) {
  Findings all = LookAtFiles(config, ask.config);
  const auto add = [&all](Findings more) {
    for (Finding& finding : more) all.push_back(std::move(finding));
  };
  add(LookAtProcess(config));
  add(LookAtHost(config));
  add(LookAtDates(config));
  add(LookAtBroker(config, ask));
  add(LookAtSecondaries(config));
  add(LookAtTransferTls(config));
  add(LookAtResolver(config));
  return all;
}

std::size_t Count(const Findings& findings, Verdict verdict) {
  return static_cast<std::size_t>(std::count_if(
      findings.begin(), findings.end(), [verdict](const Finding& each) { return each.verdict == verdict; }));
}

void PrintAll(const Findings& findings) {
  constexpr std::size_t kVerdictWidth = 9;
  const auto columns = LineWidth();
  std::size_t width = 0;
  for (const Finding& each : findings) width = std::max(width, each.check.size());
  for (const Finding& each : findings) {
    std::string line = Word(each.verdict);
    line.resize(kVerdictWidth, ' ');
    line += each.check + std::string(width - each.check.size() + 2, ' ') + each.says;
    if (!each.todo.empty()) line += ". Do: " + each.todo;
    std::cout << Wrapped(line, columns, kVerdictWidth + 2) << '\n';
  }
  std::cout << "faults: " << Count(findings, Verdict::kFault)
            << ", warnings: " << Count(findings, Verdict::kWarning)
            << ", not looked at: " << Count(findings, Verdict::kSkipped) << '\n';
}

void Examine(const Examined& examined) {
  const auto config = OrFail(app::LoadConfig(examined.ask.config));
  const Findings findings = LookAtAll(config, examined.ask);
  if (examined.json) {
    Json rows = Json::array();
    for (const Finding& each : findings)
      rows.push_back(
          {{"check", each.check}, {"verdict", Word(each.verdict)}, {"says", each.says}, {"do", each.todo}});
    Print(rows, true);
  } else {
    PrintAll(findings);
  }
  if (Count(findings, Verdict::kFault) > 0) throw CLI::RuntimeError(kDoctorFault);
}

}  // namespace

void AddDoctor(CLI::App& app) {
  const auto examined = std::make_shared<Examined>();
  auto* doctor =
      app.add_subcommand("doctor", "look at everything that the registry needs, and say what to do");
  doctor->add_option("--config", examined->ask.config, "The registry's configuration")->required();
  doctor->add_option("--as", examined->ask.party, "The operator's party (operator)");
  doctor->add_flag("--json", examined->json, "Print JSON");
  doctor->callback([examined] { Examine(*examined); });
}

}  // namespace registry::ctl
