// workers/orders/items.h: one device of an order after the other. What is decided for a device, its outcome and the
// order's cursor are one changeset: a device is decided once, whatever ends the registry in between.
// Pure, any thread. An Error means the store failed: nothing is known of the device then, and it is decided later.
#pragma once

#include <functional>

#include "workers/domain/decision.h"

namespace registry::orders {

using domain::Case;
using domain::Context;
using domain::DevicePosition;

// Decides the single command as if the owner had sent it now; an Error is the rejection it would get.
using DecideOne = std::function<Result<domain::Decision>(const domain::Order& order, const DeviceId& device,
                                                         const Context& context)>;

// `known` is the order as whoever looked for its next device had it; `place` is where the selection then had that device.
// The device is skipped when it is not there any more, when the order's kind passes it over (kinds.h), and when an order by
// the ends of certificates meets it with one that was issued after the order began. What became of it; no changes when the
// order does not run any more, or is not where it was known to be.
Result<domain::ItemOutcome> DecideItem(const domain::Order& known, const DevicePosition& place,
                                       const DecideOne& decide, Case& at);
// What was decided for the device could not be kept, for a cause that stays. No changes as above.
Result<domain::ItemOutcome> DecideFailed(const domain::Order& known, const DevicePosition& place,
                                         const std::string& symbol, Case& at);
// No device is left in the selection. No changes as above.
Status DecideEnd(const domain::Order& known, Case& at);

}  // namespace registry::orders
