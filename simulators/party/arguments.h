// simulators/party/arguments.h: the command line of a party's simulator: `--config FILE`, and `--fault NAME` as often as
// wanted (simulators/mqtt/protocol_faults.h). `--help` lists the faults.
// Plain function, the main thread. Errors: said on standard error.
#pragma once

#include <string>
#include <variant>

#include "schemas/wire/messages.h"
#include "simulators/mqtt/protocol_faults.h"

namespace registry::sim {

struct PartyArguments {
  std::string config_file;
  ProtocolFaults faults;
};

// Or what to end with: 0 after --help, 2 when something is wrong.
std::variant<PartyArguments, int> ReadPartyArguments(int argc, const char* const* argv, wire::Role role);

}  // namespace registry::sim
