#include "simulators/device/arguments.h"

#include <iostream>
#include <string_view>

namespace registry::sim {
namespace {

std::optional<DeviceArguments> Usage(const std::string& wrong) {
  if (!wrong.empty()) std::cerr << "device-sim: " << wrong << "\n";
  std::cerr
      << "usage: device-sim [--config FILE] [--layout NAME|FILE] [--modem PATH]... [--vpcd HOST:PORT]...\n"
         "       a fleet of devices (--config), cards of their own (--modem, --vpcd), or both\n";
  return std::nullopt;
}

}  // namespace

std::optional<DeviceArguments> ReadArguments(int argc, const char* const* argv) {
  DeviceArguments arguments;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    const bool known =
        option == "--config" || option == "--layout" || option == "--modem" || option == "--vpcd";
    if (!known) return Usage("'" + std::string(option) + "' is no option");
    if (value.empty()) return Usage(std::string(option) + " wants a value");
    if (option == "--config" && !arguments.config.empty()) return Usage("--config stands twice");
    if (option == "--config") arguments.config = value;
    if (option == "--layout") arguments.layout = value;
    if (option == "--modem") arguments.cards.push_back({value, ""});
    if (option == "--vpcd") arguments.cards.push_back({"", value});
  }
  if (arguments.config.empty() && arguments.cards.empty()) return Usage("");
  return arguments;
}

}  // namespace registry::sim
