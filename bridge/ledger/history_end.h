// bridge/ledger/history_end.h: the number of the last entry of the history, found by some forty small reads, whatever its
// length.
// Threads: any. What is committed meanwhile may be counted or not.
#pragma once

#include "bridge/ledger/ledger.h"

namespace registry::ledger {

// `known`: an entry that is there, to begin with; 0: none. The answer is 0 where there is no entry.
Result<Seq> HistoryEnd(const LedgerReader& ledger, Seq known = 0);

}  // namespace registry::ledger
