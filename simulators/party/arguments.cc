#include "simulators/party/arguments.h"

#include <iostream>
#include <vector>

#include "simulators/console/console.h"

namespace registry::sim {
namespace {

bool IsOf(const ProtocolFaultRow& row, wire::Role role) {
  return role == wire::Role::kMno ? row.mno : row.asp;
}

void SayHelp(const char* program, wire::Role role) {
  std::cout << "usage: " << program << " --config FILE [--fault NAME]...\n\n"
            << "What it does wrong towards the registry, with --fault:\n";
  for (const ProtocolFaultRow& row : ProtocolFaultRows()) {
    if (!IsOf(row, role)) continue;
    std::cout << "  " << row.name << std::string(26 - row.name.size(), ' ') << row.what << "\n";
  }
}

std::optional<ProtocolFault> FaultOf(const std::string& name, wire::Role role) {
  for (const ProtocolFaultRow& row : ProtocolFaultRows()) {
    if (row.name == name && IsOf(row, role)) return row.fault;
  }
  return std::nullopt;
}

}  // namespace

std::optional<PartyArguments> ReadPartyArguments(int argc, char** argv, wire::Role role) {
  PartyArguments arguments;
  std::vector<char*> others;
  for (int i = 0; i < argc; ++i) {
    const std::string word = argv[i];
    if (i > 0 && word == "--help") {
      arguments.help = true;
      SayHelp(argv[0], role);
      return arguments;
    }
    if (i == 0 || word != "--fault") {
      others.push_back(argv[i]);
      continue;
    }
    const std::string name = i + 1 < argc ? argv[++i] : "";
    const auto fault = FaultOf(name, role);
    if (!fault) {
      std::cerr << argv[0] << ": there is no fault '" << name << "'; --help lists them\n";
      return std::nullopt;
    }
    arguments.faults.insert(*fault);
  }
  const auto file = ConfigArgument(static_cast<int>(others.size()), others.data());
  if (!file) return std::nullopt;
  arguments.config_file = *file;
  return arguments;
}

}  // namespace registry::sim
