// bridge/ctl/zone_commands.h: `registryctl zone show --config FILE`: name, DS, keys, serial and names of the zone, and
// what each secondary serves. Keys come from their files, the reserved serial and the names from the ledger,
// the rest from the metrics page of a running registryd; when that does not answer, or the zone was never served, the
// output says so.
// Errors: see ledger_source.h.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddZoneCommands(CLI::App& app);

}  // namespace registry::ctl
