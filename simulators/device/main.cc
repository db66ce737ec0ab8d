// device-sim --config FILE: see README.md. Ends with exit code 0 when its input ends or on SIGTERM.
#include <iostream>

#include "schemas/base/standard_descriptors.h"
#include "simulators/console/console.h"
#include "simulators/console/printer.h"
#include "simulators/crypto/narrow_openssl.h"
#include "simulators/device/fleet.h"

int main(int argc, char** argv) {
  registry::OpenStandardDescriptors();
  registry::sim::NarrowOpenssl();
  using namespace registry::sim;
  const auto file = ConfigArgument(argc, argv);
  if (!file) return 2;
  const Console console = Console::CatchSignals();
  const auto config = ReadDeviceConfig(*file);
  if (!config) {
    std::cerr << "device-sim: " << config.error().message << "\n";
    return 2;
  }
  Printer printer;
  Report report([&printer](const nlohmann::json& event) { printer.Print(event); });
  auto fleet = Fleet::Start(*config, report);
  if (!fleet) {
    std::cerr << "device-sim: " << fleet.error().message << "\n";
    return 1;
  }
  report.Say({{"event", "ready"}, {"program", "device-sim"}});
  console.Serve([&](const nlohmann::json& command) { (*fleet)->Control(command); });
  return 0;
}
