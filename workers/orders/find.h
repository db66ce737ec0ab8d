// workers/orders/find.h: an order, if it is there for whoever asks. Room-internal; pure, any thread.
#pragma once

#include "workers/domain/decision.h"

namespace registry::orders {

// 2303 "order_unknown" for what is somebody else's too.
Result<domain::Order> FindOwn(const OrderId& id, const domain::Case& at);

}  // namespace registry::orders
