#include <algorithm>

#include "workers/orders/find.h"
#include "workers/orders/orders.h"
#include "workers/orders/told.h"

namespace registry::orders {
namespace {

constexpr std::size_t kLimitUnsaid = 100;
constexpr std::size_t kReadAtOnce = 500;

wire::OrderItem Told(const domain::OrderItem& item) {
  return {item.number, item.device, std::string(domain::ItemOutcomeName(item.outcome)), item.symbol};
}

}  // namespace

Result<wire::OrderState> Read(const wire::OrderGet& command, const Case& at) {
  const auto order = FindOwn(command.order, at);
  if (!order) return order.error();
  return StateOf(*order);
}

Result<wire::OrderListed> Read(const wire::OrderList& command, const Case& of) {
  const bool all = of.origin.role == wire::Role::kOperator;
  auto orders = of.view.OrdersOf(all ? std::nullopt : std::optional(of.origin.party));
  if (!orders) return orders.error();
  std::erase_if(*orders, [&](const domain::Order& order) {
    const bool before = command.after && order.id <= *command.after;
    return before || (!command.state.empty() && domain::OrderStateName(order.state) != command.state);
  });
  const std::size_t limit = command.limit == 0 ? kLimitUnsaid : command.limit;
  wire::OrderListed told;
  for (const domain::Order& order : *orders) {
    if (told.orders.size() == limit) {
      told.next = told.orders.back().order;
      break;
    }
    told.orders.push_back(StateOf(order));
  }
  return told;
}

Result<wire::OrderReported> Read(const wire::OrderReport& command, const Case& of) {
  const auto order = FindOwn(command.order, of);
  if (!order) return order.error();
  const auto wanted = domain::ItemOutcomeOf(command.outcome);
  const std::size_t limit = command.limit == 0 ? kLimitUnsaid : command.limit;
  wire::OrderReported told;
  std::uint64_t at = command.after;
  for (std::size_t looked_at = 0; looked_at < kLookedAtMax;) {
    const std::size_t ask = std::min(kReadAtOnce, kLookedAtMax - looked_at);
    const auto items = of.view.OrderItemsAfter(order->id, at, ask);
    if (!items) return items.error();
    for (const auto& item : *items) {
      if (told.items.size() == limit) return told;
      ++looked_at;
      told.next = at = item.number;
      if (!wanted || item.outcome == *wanted) told.items.push_back(Told(item));
    }
    if (items->size() < ask) {
      told.next = 0;
      break;
    }
  }
  return told;
}

}  // namespace registry::orders
