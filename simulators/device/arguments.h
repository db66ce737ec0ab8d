// simulators/device/arguments.h: what the command line of device-sim says. Plain function.
//   device-sim --config FILE                              a fleet
//   device-sim [--layout NAME|FILE] --modem PATH … --vpcd ADDRESS:PORT …   cards of their own, one each
// Both may stand together. --quotes on|off and --answer-after MS are for the modems behind them.
// Errors: the status to end with instead: 2 with what is wrong on standard error; 0 after --help.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "simulators/device/own_cards.h"

namespace registry::sim {

struct DeviceArguments {
  std::string config;            // empty: no fleet
  std::string layout = "field";  // of the cards below
  std::vector<OwnCardPlan> cards;
};

std::variant<DeviceArguments, int> ReadArguments(int argc, const char* const* argv);

}  // namespace registry::sim
