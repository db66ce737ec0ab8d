// bridge/ledger/keyed/step_numbers.h: what a ledger needs that was set back to an earlier state, before a registry goes on
// with it.
// Private to bridge/ledger and who restores. Threads: one, while nobody else has the ledger. Errors: the store's. Cut off in
// the middle it may be done again: numbers go on even further then.
#pragma once

#include "bridge/ledger/keyed/store.h"

namespace registry::ledger {

// After the restore of an older ledger, others may have been told more than it knows. So the numbers that they hold against
// each other go on further, and none is used twice:
// - Every feed by kFeedStep: what is not acknowledged comes again under a new number.
// - The version of the payload of every device that is claimed by kPayloadStep: a card refuses one that is not newer than
//   what it has taken.
inline constexpr Seq kFeedStep = 1'000'000'000;
inline constexpr std::uint64_t kPayloadStep = 1000;
struct Stepped {
  std::uint64_t feeds = 0, devices = 0;
};
Result<Stepped> StepNumbers(Store& store);

}  // namespace registry::ledger
