// The order that carries a changed endpoint to its devices.
#include <algorithm>

#include "workers/orders/begin.h"
#include "workers/orders/orders.h"
#include "workers/orders/told.h"

namespace registry::orders {
namespace {

using domain::Order;

void Supersede(Order order, Case& at) {
  const std::uint64_t version = order.version;
  order.state = domain::OrderState::kCancelled;
  order.updated = at.context.now;
  at.changes.history.push_back(Entry(order, at.origin.party, "superseded", at.context.now, at.origin.id));
  TellDone(order, at.context, at.changes);
  at.changes.orders.push_back({std::move(order), version});
}

}  // namespace

Result<std::optional<OrderId>> StartReprovision(const EndpointName& endpoint, Case& at) {
  const auto group = domain::DeviceGroup::At(at.origin.party, endpoint);
  const auto bound = at.view.DevicesIn(group, std::nullopt, std::nullopt, 1);
  if (!bound) return bound.error();
  if (bound->empty()) return std::optional<OrderId>();
  auto orders = at.view.OrdersOf(at.origin.party);
  if (!orders) return orders.error();
  const auto older = [&](const Order& it) {
    return it.open() && it.kind == domain::OrderKind::kReprovision && !it.dry_run && it.selection == group;
  };
  for (const Order& order : *orders) {
    if (older(order)) Supersede(order, at);
  }
  std::erase_if(*orders, older);
  if (auto room = MakeRoom(std::move(*orders), at); !room) return room.error();
  Order order = NewOrder(domain::OrderKind::kReprovision, group, at);
  order.reason = "endpoint published";
  const OrderId id = order.id;
  at.changes.history.push_back(
      Entry(order, at.origin.party, "started: reprovision", at.context.now, at.origin.id));
  at.changes.orders.push_back({std::move(order), 0});
  return std::optional(id);
}

}  // namespace registry::orders
