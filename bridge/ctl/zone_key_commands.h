// bridge/ctl/zone_key_commands.h: `registryctl zone roll` and `zone ds-seen`, and the keys in `zone show`.
// They read the key set and write requests into it (bridge/zone/KEYS.md); registryd, which alone makes keys and steps, takes
// them within a second, or at its next start.
// Errors: a sentence on stderr and status 1; what is asked of a set that does not allow it says why, and changes nothing.
// Threads: the main one.
#pragma once

#include "bridge/app/config.h"
#include "bridge/ctl/ledger_source.h"

namespace registry::ctl {

void AddZoneKeyCommands(CLI::App& zone);
// Zone, DS, keys with states, roll-overs with what they wait for, and when the next ones begin.
Json KeysShown(const app::Config& config);

}  // namespace registry::ctl
