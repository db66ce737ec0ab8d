// workers/orders/kinds.h: the kinds of orders, and all that differs between them: the single command that each stands for,
// who may start one, and which devices it passes over. A new kind is a number in workers/domain/order.h and its cases here.
// Pure, any thread.
#pragma once

#include "schemas/wire/codec.h"
#include "workers/domain/decision.h"

namespace registry::orders {

// The single command that says what an order of this kind does with a device; empty of kReprovision, which has none.
std::string_view CommandName(domain::OrderKind kind);
std::optional<wire::Command> CommandOf(const domain::Order& order, const DeviceId& device);
// Whether a party of this role may start one: who may send the single command, and of kReprovision who may publish an
// endpoint, and the operator.
bool MayStart(domain::OrderKind kind, wire::Role role);
// A device that it passes over (skipped): of kReprovision one without a payload that another could take the place of. It
// gets the newest with its first.
bool PassesOver(domain::OrderKind kind, const domain::Device& device);

}  // namespace registry::orders
