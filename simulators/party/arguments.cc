#include "simulators/party/arguments.h"

#include <CLI/CLI.hpp>
#include <map>
#include <vector>

#include "schemas/base/wrong_command.h"

namespace registry::sim {
namespace {

using FaultWords = std::map<std::string, ProtocolFault>;

// Its faults, and for --help what each does.
std::pair<FaultWords, std::string> FaultsOf(wire::Role role) {
  FaultWords words;
  std::string listed = "Faults:\n";
  for (const ProtocolFaultRow& row : ProtocolFaultRows()) {
    if (role == wire::Role::kMno ? !row.mno : !row.asp) continue;
    const std::string name(row.name);
    words[name] = row.fault;
    listed += "  " + name + std::string(28 - name.size(), ' ') + std::string(row.what) + "\n";
  }
  return {words, listed};
}

}  // namespace

std::variant<PartyArguments, int> ReadPartyArguments(int argc, const char* const* argv, wire::Role role) {
  const bool mno = role == wire::Role::kMno;
  CLI::App program(mno ? "a mobile network operator" : "an application service provider",
                   mno ? "mno-sim" : "asp-sim");
  PartyArguments arguments;
  std::vector<std::string> faults;
  const auto known = FaultsOf(role);
  program.footer(known.second);
  program.add_option("--config", arguments.config_file, "its configuration, a JSON file")->required();
  program.add_option("--fault", faults, "what it does wrong towards the registry, once or more often")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->check([&known](const std::string& name) {
        return known.first.contains(name) ? "" : "there is no fault '" + name + "'; --help lists them";
      });
  if (const auto end = ParseOrEnd<CLI::ParseError>(program, argc, argv)) return *end;
  for (const std::string& name : faults) arguments.faults.insert(known.first.at(name));
  return arguments;
}

}  // namespace registry::sim
