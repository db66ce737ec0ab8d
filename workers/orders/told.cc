#include "workers/orders/told.h"

namespace registry::orders {
namespace {

template <class Message>
void SetCounts(const domain::OrderCounts& counts, Message& message) {
  message.done = counts.done;
  message.refused = counts.refused;
  message.failed = counts.failed;
  message.skipped = counts.skipped;
}

}  // namespace

wire::OrderState StateOf(const domain::Order& order) {
  wire::OrderState state;
  state.order = order.id;
  state.owner = order.owner;
  state.kind = domain::OrderKindName(order.kind);
  state.state = domain::OrderStateName(order.state);
  state.dry_run = order.dry_run;
  state.rate = order.rate;
  SetCounts(order.counts, state);
  state.created = order.created;
  state.updated = order.updated;
  return state;
}

void TellProgress(domain::Order& order, const domain::Context& context, domain::Changeset& changes) {
  wire::OrderProgress progress;
  progress.order = order.id;
  SetCounts(order.counts, progress);
  order.told = context.now;
  changes.notifications.push_back(domain::Notify(order.owner, progress, context, order.cause));
}

void TellDone(const domain::Order& order, const domain::Context& context, domain::Changeset& changes) {
  wire::OrderDone done;
  done.order = order.id;
  done.kind = domain::OrderKindName(order.kind);
  done.state = domain::OrderStateName(order.state);
  done.dry_run = order.dry_run;
  SetCounts(order.counts, done);
  changes.notifications.push_back(domain::Notify(order.owner, done, context, order.cause));
}

domain::HistoryEntry Entry(const domain::Order& order, const PartyId& actor, std::string_view what,
                           UtcTime now, std::optional<EventId> cause) {
  return domain::History(actor, "order " + order.id.text() + ' ' + std::string(what), now, std::move(cause));
}

}  // namespace registry::orders
