#include "simulators/device/arguments.h"

#include <algorithm>
#include <charconv>
#include <iostream>
#include <string_view>

namespace registry::sim {
namespace {

constexpr int kAnswerAfterMax = 60'000;

std::optional<DeviceArguments> Usage(const std::string& wrong) {
  if (!wrong.empty()) std::cerr << "device-sim: " << wrong << "\n";
  std::cerr
      << "usage: device-sim [--config FILE] [--layout NAME|FILE] [--quotes on|off] [--answer-after MS]\n"
         "                  [--modem PATH]... [--vpcd ADDRESS:PORT]...\n"
         "       a fleet of devices (--config), cards of their own (--modem, --vpcd), or both\n";
  return std::nullopt;
}

// What is wrong with the option; empty: nothing.
std::string Take(std::string_view option, const std::string& value, DeviceArguments& arguments,
                 PtyModem::Options& modem) {
  if (option == "--config") {
    if (!arguments.config.empty()) return "--config stands twice";
    arguments.config = value;
  } else if (option == "--layout") {
    arguments.layout = value;
  } else if (option == "--modem") {
    arguments.cards.push_back({value, "", modem});
  } else if (option == "--vpcd") {
    arguments.cards.push_back({"", value, {}});
  } else if (option == "--quotes") {
    if (value != "on" && value != "off") return "--quotes is on or off";
    modem.modem.quotes = value == "on";
  } else {
    int after = -1;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), after);
    if (error != std::errc() || *end != '\0' || after < 0 || after > kAnswerAfterMax)
      return "--answer-after is 0 to 60000 milliseconds";
    modem.answer_after = std::chrono::milliseconds(after);
  }
  return "";
}

}  // namespace

std::optional<DeviceArguments> ReadArguments(int argc, const char* const* argv) {
  static constexpr std::string_view kOptions[] = {"--config", "--layout", "--modem",
                                                  "--vpcd",   "--quotes", "--answer-after"};
  DeviceArguments arguments;
  PtyModem::Options modem;
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (std::find(std::begin(kOptions), std::end(kOptions), option) == std::end(kOptions))
      return Usage("'" + option + "' is no option");
    if (value.empty()) return Usage(option + " wants a value");
    if (const std::string wrong = Take(option, value, arguments, modem); !wrong.empty()) return Usage(wrong);
  }
  if (arguments.config.empty() && arguments.cards.empty()) return Usage("");
  return arguments;
}

}  // namespace registry::sim
