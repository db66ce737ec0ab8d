// bridge/ctl/zone_check_command.h: `registryctl zone check --config FILE`: whether the ledger, the zone that registryd
// serves and the zone of every secondary say the same, and whether signatures and NSEC3 chain are right. Each difference
// is named. It fetches each zone whole (AXFR, with the transfer key), so a secondary must allow that to the registry's
// address and key.
// A change that is on its way is no difference: what differs must do so in every look, for --patience seconds.
// Changes nothing. Errors: see ledger_source.h; status 3 when something differs or a secondary's zone cannot be fetched,
// 1 when registryd's cannot.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddZoneCheck(CLI::App& zone);

}  // namespace registry::ctl
