// bridge/app/zone_keys_beside.h: for a node that stands by and follows the zone of the active one (bridge/zone/follower.h):
// which keys may sign the zone's DNSKEY set, as the active one has left them beside the ledger (zone_keys_kept.h). A
// roll-over that this node has missed is known there. What is asked reads, and changes nothing, here or there.
// Believed as a take-over believes it: the text is sealed under a key that is derived from authorisation.key_file.
// Empty: the ledger is not in PostgreSQL, or no keys are rolled over.
// Threads: each call opens anew; any. Waiting: as Lasting does with these options. Errors: those of zone_keys_kept.h, of the
// code key and of the backend.
#pragma once

#include "bridge/app/config.h"
#include "bridge/ledger/postgres/open.h"
#include "bridge/zone/follower.h"

namespace registry::app {

zone::KeysBeside ZoneKeysBeside(const Config& config, ledger::PostgresOptions options);

}  // namespace registry::app
