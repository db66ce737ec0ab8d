// workers/orders/told.h: what is said of an order: its state, its notifications, its line in the history. Room-internal;
// pure, any thread.
#pragma once

#include "schemas/wire/queries.h"
#include "workers/domain/compose.h"

namespace registry::orders {

wire::OrderState StateOf(const domain::Order& order);
void TellProgress(domain::Order& order, const domain::Context& context, domain::Changeset& changes);
// The order's state says how it ended.
void TellDone(const domain::Order& order, const domain::Context& context, domain::Changeset& changes);
// "order <id> started: deactivate, dry run", "order <id> paused".
domain::HistoryEntry Entry(const domain::Order& order, const PartyId& actor, std::string_view what,
                           UtcTime now, std::optional<EventId> cause);

}  // namespace registry::orders
