#include "bridge/ledger/history_end.h"

namespace registry::ledger {

Result<Seq> HistoryEnd(const LedgerReader& ledger, Seq known) {
  Seq low = known, high = known + 1;  // `low` is there (or nothing is), `high` is not
  const auto there = [&](Seq seq) -> Result<bool> {
    const auto found = ledger.HistoryAfter(seq - 1, 1);
    if (!found) return found.error();
    return !found->empty();
  };
  for (Seq step = 1;; step *= 2) {
    const auto is = there(high);
    if (!is) return is.error();
    if (!*is) break;
    low = high;
    high += step;
  }
  while (high - low > 1) {
    const Seq middle = low + (high - low) / 2;
    const auto is = there(middle);
    if (!is) return is.error();
    (*is ? low : high) = middle;
  }
  return low;
}

}  // namespace registry::ledger
