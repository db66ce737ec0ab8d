// bridge/ledger/sound.h: the one way by which decisions reach the ledger: a changeset that would leave a device as it must
// never be (workers/domain/invariants.h) is refused before anything of it is written.
// Threads: any; work on one device is serial (bridge/ingest/lanes.h), or the check could see another's half.
// Errors: kUnsound, the message names devices and rules, a fault of the registry and not of its disk: the same decision
//   would be refused again. Otherwise the ledger's own: a record that moved meanwhile is kStale, not unsound.
#pragma once

#include "bridge/ledger/ledger.h"

namespace registry::ledger {

inline constexpr std::string_view kUnsound = "changes_unsound";

Status CommitSound(Ledger& ledger, domain::Changeset changes);
// As Ledger::CommitLater; what is refused here is answered inside the call.
void CommitSoundLater(Ledger& ledger, domain::Changeset changes, Ledger::WhenDone done);

}  // namespace registry::ledger
