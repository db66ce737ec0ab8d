// bridge/app/anchors_given.h: since when devices are given which trust anchors. A start of registryd that gives others than
// the start before writes one entry of no single device into the hash-chained history: "trust anchors given to devices:
// . DS 20326 8 2 e06d44b80b8f1d39, . DS 38696 8 2 683d2d0acb8c9b71", with the labels of trust_anchors.h. It is written
// before the first payload of that run is made and by the same clock, so a payload that was made later has these.
// The last entry and its number are kept (kept_state.h) under "anchors-given.json": the history of no single device grows
// for ever. It is read whole only where nothing is kept or the ledger does not have that entry.
// Threads: any. Errors: the ledger's.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "bridge/clock.h"
#include "bridge/ledger/kept_state.h"
#include "bridge/ledger/ledger.h"

namespace registry::app {

struct AnchorsGiven {
  UtcTime since;
  std::set<std::string> labels;
};
// The oldest first. None from before this was kept.
Result<std::vector<AnchorsGiven>> ReadAnchorsGiven(const ledger::LedgerReader& ledger);

// The labels of these records; what is no record has none.
std::set<std::string> LabelsOf(const std::vector<std::string>& anchors);

Status SayAnchorsGiven(const std::vector<std::string>& anchors, ledger::KeptState& kept,
                       ledger::Ledger& ledger, const Clock& clock);

}  // namespace registry::app
