// mno-sim --config FILE [--fault NAME]...: see README.md. Ends with exit code 0 when its input ends or on SIGTERM.
#include <iostream>

#include "schemas/base/standard_descriptors.h"
#include "simulators/console/console.h"
#include "simulators/console/printer.h"
#include "simulators/mno/mno_sim.h"
#include "simulators/party/arguments.h"
#include "simulators/party/say_trouble.h"

int main(int argc, char** argv) {
  registry::OpenStandardDescriptors();
  using namespace registry::sim;
  const auto read = ReadPartyArguments(argc, argv, registry::wire::Role::kMno);
  if (const int* const ended = std::get_if<int>(&read)) return *ended;
  const auto& arguments = std::get<PartyArguments>(read);
  const Console console = Console::CatchSignals();
  auto config = ReadMnoConfig(arguments.config_file);
  if (!config) {
    std::cerr << "mno-sim: " << config.error().message << "\n";
    return 2;
  }
  config->mqtt.faults = arguments.faults;
  Printer printer;
  Report report([&printer](const nlohmann::json& event) { printer.Print(event); });
  const std::string party = config->mqtt.party;
  config->mqtt.on_trouble = SayTrouble(report);
  auto mno = MnoSim::Start(std::move(*config), report);
  if (!mno) {
    std::cerr << "mno-sim: " << mno.error().message << "\n";
    return 1;
  }
  report.Say({{"event", "ready"}, {"program", "mno-sim"}, {"party", party}});
  console.Serve([&](const nlohmann::json& command) { (*mno)->Control(command); });
  return 0;
}
