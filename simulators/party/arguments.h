// simulators/party/arguments.h: the arguments of a party's simulator: `--config FILE`, and `--fault NAME` as often as wanted
// (simulators/mqtt/protocol_faults.h). `--help` lists the faults.
// Plain function, the main thread. Errors: said on standard error.
#pragma once

#include <optional>
#include <string>

#include "schemas/wire/messages.h"
#include "simulators/mqtt/protocol_faults.h"

namespace registry::sim {

struct PartyArguments {
  std::string config_file;  // empty with `help`
  ProtocolFaults faults;
  bool help = false;  // was asked for, and said
};

// nullopt: the arguments are others.
std::optional<PartyArguments> ReadPartyArguments(int argc, char** argv, wire::Role role);

}  // namespace registry::sim
