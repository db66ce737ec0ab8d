// bridge/ledger/keyed/day_marks.h: the days that event marks are forgotten with (family `day_marks`), made anew in a
// ledger that has none. The mark `day_marks` in family `meta` is written last, so a making that was cut short begins
// again at the next opening for writing.
// Private to bridge/ledger. Threads: whoever opens the ledger.
#pragma once

#include <optional>
#include <string_view>

#include "bridge/ledger/keyed/store.h"

namespace registry::ledger {

// Raised with every change of the keys. Stored: A NUMBER IS NEVER USED AGAIN.
inline constexpr std::uint64_t kDayMarksRule = 1;

Result<bool> HasDayMarks(const Store& store);
// Reads every event mark once. How many there are; kLedgerDamaged when one cannot be read.
Result<std::uint64_t> MakeDayMarks(Store& store);

namespace keys {
std::optional<domain::DayMark> DayMarkOf(std::string_view key);
}

}  // namespace registry::ledger
