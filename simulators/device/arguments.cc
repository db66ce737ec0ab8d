#include "simulators/device/arguments.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "schemas/base/wrong_command.h"

namespace registry::sim {
namespace {

constexpr int kAnswerAfterMax = 60'000;

std::string IsEmpty(const std::string& value) { return value.empty() ? "it wants a value" : ""; }

std::string IsNoMilliseconds(const std::string& value) {
  int after = -1;
  const bool number = CLI::detail::lexical_cast(value, after);
  return number && after >= 0 && after <= kAnswerAfterMax ? "" : "it is 0 to 60000 milliseconds";
}

// What the options say, in the order in which they stand: --quotes and --answer-after are for the modems behind them.
std::vector<OwnCardPlan> CardsOf(const CLI::App& program) {
  std::vector<OwnCardPlan> cards;
  PtyModem::Options modem;
  std::map<const CLI::Option*, std::size_t> taken;
  for (const CLI::Option* const option : program.parse_order()) {
    const std::string name = option->get_name(), value = option->results().at(taken[option]++);
    if (name == "--modem") cards.push_back({value, "", modem});
    if (name == "--vpcd") cards.push_back({"", value, {}});
    if (name == "--quotes") modem.modem.quotes = value == "on";
    if (name == "--answer-after") modem.answer_after = std::chrono::milliseconds(std::stoi(value));
  }
  return cards;
}

void AddOptions(CLI::App& program, DeviceArguments& arguments) {
  program.add_option("--config", arguments.config, "a fleet of devices: its configuration, a JSON file")
      ->check(IsEmpty);
  program.add_option("--layout", arguments.layout, "of the cards: field (default), registry, or a JSON file")
      ->check(IsEmpty)
      ->take_last();
  const auto add = [&program](const char* name, const char* what) {
    return program.add_option(name)->description(what)->expected(1)->take_all()->allow_extra_args(false);
  };
  add("--modem", "a card of its own behind an AT modem: the path of its serial device")->check(IsEmpty);
  add("--vpcd", "a card of its own in a virtual PC/SC reader: its ADDRESS:PORT")->check(IsEmpty);
  add("--quotes", "of the modems behind it, around hexadecimal: on (default) or off")
      ->check(CLI::IsMember({"on", "off"}));
  add("--answer-after", "of the modems behind it: how late an answer comes, in milliseconds")
      ->check(IsNoMilliseconds);
}

}  // namespace

std::variant<DeviceArguments, int> ReadArguments(int argc, const char* const* argv) {
  DeviceArguments arguments;
  CLI::App program("a fleet of devices (--config), cards of their own (--modem, --vpcd), or both",
                   "device-sim");
  AddOptions(program, arguments);
  if (const auto end = ParseOrEnd<CLI::ParseError>(program, argc, argv)) return *end;
  arguments.cards = CardsOf(program);
  if (!arguments.config.empty() || !arguments.cards.empty()) return arguments;
  std::cerr << program.help();
  return 2;
}

}  // namespace registry::sim
