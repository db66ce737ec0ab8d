#include "workers/orders/orders.h"

#include <algorithm>

#include "workers/orders/begin.h"
#include "workers/orders/find.h"
#include "workers/orders/kinds.h"
#include "workers/orders/told.h"

namespace registry::orders {
namespace {

using domain::DeviceGroup;
using domain::Order;
using domain::OrderState;

constexpr int kTooManySeconds = 60;

Error Foreign(std::string_view message, std::string_view field) {
  return Error::Make(Code::kNotAuthorised, "selection_foreign", message, field);
}

// Whose devices they are is settled here; what may be done with each, by the single command's decision.
Result<DeviceGroup> GroupOf(const wire::OrderSelection& selection, const domain::Origin& origin) {
  const bool all = origin.role == wire::Role::kOperator;
  if (!all && selection.party && *selection.party != origin.party) {
    return Foreign("an order is over the sender's own devices", "/selection/party");
  }
  const auto party = selection.party || all ? selection.party : std::optional(origin.party);
  if (selection.endpoint) {
    if (origin.role == wire::Role::kMno || !party) {
      return Foreign("an endpoint is an ASP's, and the selection does not say whose", "/selection/endpoint");
    }
    return DeviceGroup::At(*party, *selection.endpoint);
  }
  if (const auto state = domain::StateOf(selection.state)) return DeviceGroup::In(*state, party);
  if (selection.expires_before) return DeviceGroup::ByExpiry(party);
  return DeviceGroup::Of(party);
}

}  // namespace

Status MakeRoom(std::vector<Order> orders, Case& at) {
  const auto open = std::count_if(orders.begin(), orders.end(), [](const Order& it) { return it.open(); });
  if (static_cast<std::size_t>(open) >= kOpenMax) {
    Error error = Error::Make(Code::kLimit, "orders_too_many",
                              "eight orders of this party are running or paused; wait for one or cancel it");
    error.retry_after_seconds = kTooManySeconds;
    return error;
  }
  std::erase_if(orders, [](const Order& it) { return it.open(); });
  std::sort(orders.begin(), orders.end(),
            [](const Order& a, const Order& b) { return a.updated < b.updated; });
  for (std::size_t i = 0; i + kKeptMax < orders.size() + 1; ++i)
    at.changes.orders_erase.push_back(orders[i].id);
  return Done{};
}

Order NewOrder(domain::OrderKind kind, DeviceGroup selection, const Case& at) {
  Order order;
  order.id = *OrderId::Parse(domain::NewJobId(at.context).text());
  order.owner = at.origin.party;
  order.kind = kind;
  order.selection = std::move(selection);
  order.rate = kRateUnsaid;
  order.cause = *at.origin.id;
  order.traceparent = at.context.traceparent;
  order.created = order.updated = order.told = at.context.now;
  return order;
}

namespace {

Order OrderedBy(const wire::OrderStart& command, domain::OrderKind kind, DeviceGroup group, const Case& at) {
  Order order = NewOrder(kind, std::move(group), at);
  order.dry_run = command.dry_run;
  order.before = command.selection.expires_before;
  if (command.rate != 0) order.rate = command.rate;
  order.reason = command.reason;
  return order;
}

Reply Put(Order order, Case& at) {
  Reply reply = wire::Encode(StateOf(order));
  const std::uint64_t version = order.version;
  at.changes.orders.push_back({std::move(order), version});
  return reply;
}

// `command`: order.pause, order.resume or order.cancel.
template <class Command>
Result<Reply> Move(const Command& command, OrderState to, Case& at) {
  auto order = FindOwn(command.order, at);
  if (!order) return order.error();
  if (!order->open()) {
    return Error::Make(Code::kStatusProhibits, "order_ended",
                       "the order is " + std::string(domain::OrderStateName(order->state)), "/order");
  }
  if (order->state == to) return wire::Encode(StateOf(*order));
  const UtcTime now = at.context.now;
  order->state = to;
  order->updated = now;
  std::string what(to == OrderState::kRunning ? "resumed" : domain::OrderStateName(to));
  if (!command.reason.empty()) what += ": " + command.reason;
  at.changes.history.push_back(Entry(*order, at.origin.party, what, now, at.origin.id));
  if (to == OrderState::kCancelled) TellDone(*order, at.context, at.changes);
  return Put(std::move(*order), at);
}

}  // namespace

Result<Order> FindOwn(const OrderId& id, const Case& at) {
  auto order = at.view.LoadOrder(id);
  if (!order) return order.error();
  const bool own = *order && (at.origin.role == wire::Role::kOperator || (*order)->owner == at.origin.party);
  if (!own) return Error::Make(Code::kNotFound, "order_unknown", "no such order", "/order");
  return std::move(**order);
}

Result<Reply> Decide(const wire::OrderStart& command, Case& at) {
  const auto kind = *domain::OrderKindOf(command.kind);
  if (!MayStart(kind, at.origin.role)) {
    return Error::Make(Code::kNotAuthorised, "order_kind_foreign",
                       "a party of this role may not do that with a device", "/kind");
  }
  auto group = GroupOf(command.selection, at.origin);
  if (!group) return group.error();
  auto orders = at.view.OrdersOf(at.origin.party);
  if (!orders) return orders.error();
  if (auto room = MakeRoom(std::move(*orders), at); !room) return room.error();
  Order order = OrderedBy(command, kind, std::move(*group), at);
  std::string what = "started: " + command.kind + (order.dry_run ? ", dry run" : "");
  if (!command.reason.empty()) what += ": " + command.reason;
  at.changes.history.push_back(Entry(order, at.origin.party, what, at.context.now, at.origin.id));
  return Put(std::move(order), at);
}

Result<Reply> Decide(const wire::OrderPause& command, Case& at) {
  return Move(command, OrderState::kPaused, at);
}
Result<Reply> Decide(const wire::OrderResume& command, Case& at) {
  return Move(command, OrderState::kRunning, at);
}
Result<Reply> Decide(const wire::OrderCancel& command, Case& at) {
  return Move(command, OrderState::kCancelled, at);
}

}  // namespace registry::orders
