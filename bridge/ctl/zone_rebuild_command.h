// bridge/ctl/zone_rebuild_command.h: `registryctl zone rebuild --config FILE --reason TEXT`: has registryd make the zone
// anew from the ledger: content, signatures and NSEC3 chain, under a new serial, of which every secondary takes the
// whole. Asked for in a file (bridge/zone/rebuild_request.h), which registryd looks at each second and at its start.
// --dry-run says what would be asked, and asks nothing. The reason stands in registryd's log.
// Errors: see ledger_source.h; status 1 when registryd has not done it within --patience seconds: the request stays.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddZoneRebuild(CLI::App& zone);

}  // namespace registry::ctl
