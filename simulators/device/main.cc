// device-sim: see README.md. Ends with exit code 0 when its input ends or on SIGTERM.
#include <iostream>

#include "schemas/base/standard_descriptors.h"
#include "simulators/console/console.h"
#include "simulators/console/printer.h"
#include "simulators/crypto/narrow_openssl.h"
#include "simulators/device/arguments.h"
#include "simulators/device/fleet.h"
#include "simulators/device/layout_file.h"

namespace registry::sim {
namespace {

int Refuse(int status, const Error& error) {
  std::cerr << "device-sim: " << error.message << "\n";
  return status;
}

int Run(const DeviceArguments& arguments) {
  const Console console = Console::CatchSignals();
  auto layout = ReadLayoutFile(arguments.layout);
  if (!layout) return Refuse(2, layout.error());
  Printer printer;
  Report report([&printer](const nlohmann::json& event) { printer.Print(event); });
  std::unique_ptr<Fleet> fleet;
  if (!arguments.config.empty()) {
    const auto config = ReadDeviceConfig(arguments.config);
    if (!config) return Refuse(2, config.error());
    auto started = Fleet::Start(*config, report);
    if (!started) return Refuse(1, started.error());
    fleet = std::move(*started);
  }
  const auto cards = OwnCards::Start(arguments.cards, std::move(*layout), report);
  if (!cards) return Refuse(1, cards.error());
  report.Say({{"event", "ready"}, {"program", "device-sim"}});
  console.Serve([&](const nlohmann::json& command) {
    if (fleet) return fleet->Control(command);
    report.Say({{"event", "control_refused"}, {"reason", "device_unknown"}});
  });
  return 0;
}

}  // namespace
}  // namespace registry::sim

int main(int argc, char** argv) {
  registry::OpenStandardDescriptors();
  registry::sim::NarrowOpenssl();
  const auto arguments = registry::sim::ReadArguments(argc, argv);
  const auto* const wanted = std::get_if<registry::sim::DeviceArguments>(&arguments);
  return wanted != nullptr ? registry::sim::Run(*wanted) : std::get<int>(arguments);
}
