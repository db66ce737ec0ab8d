// workers/orders/begin.h: how every order begins, whoever asks for it. Room-internal; pure, any thread.
#pragma once

#include <vector>

#include "workers/domain/decision.h"

namespace registry::orders {

// Room for one more beside these of the same owner: of those that ended the oldest are erased. 2502 "orders_too_many".
Status MakeRoom(std::vector<domain::Order> orders, domain::Case& at);
// Of the sender, running, at the rate that holds where none is said.
domain::Order NewOrder(domain::OrderKind kind, domain::DeviceGroup selection, const domain::Case& at);

}  // namespace registry::orders
