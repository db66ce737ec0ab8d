#include "bridge/ingest/order_decisions.h"

#include "bridge/ledger/sound.h"
#include "workers/orders/kinds.h"

namespace registry::ingest {

Result<std::vector<domain::Order>> OrderDecisions::Open() const {
  auto orders = reader_.OrdersOf(std::nullopt);
  if (!orders) return orders.error();
  std::erase_if(*orders, [](const domain::Order& order) { return !order.open(); });
  return orders;
}

Result<std::vector<domain::DevicePosition>> OrderDecisions::Next(
    const domain::Order& order, const std::optional<domain::DevicePosition>& after) const {
  const auto devices = reader_.DevicesIn(order.selection, after, order.before, kPage);
  if (!devices) return devices.error();
  std::vector<domain::DevicePosition> positions;
  for (const auto& device : *devices) positions.push_back(domain::PositionIn(order.selection.kind, device));
  return positions;
}

Result<domain::Decision> OrderDecisions::DecideOne(const domain::Order& order, const DeviceId& device,
                                                   const domain::Context& context) const {
  if (const auto command = orders::CommandOf(order, device)) {
    return executor_.DecideFor(order.owner, orders::CommandName(order.kind), *command, order.cause, context);
  }
  return executor_.DecideFor(
      order.owner, [&](domain::Case& at) { return lifecycle::Reprovision(device, at); }, order.cause,
      context);
}

OrderDecisions::Settled OrderDecisions::SettleItem(const domain::Order& order,
                                                   const domain::DevicePosition& at) const {
  const auto one = [this](const domain::Order& of, const DeviceId& device, const domain::Context& context) {
    auto decision = DecideOne(of, device, context);
    // The outcome has room for the symbol alone.
    const bool failed = !decision && decision.error().code == Code::kFailed;
    if (failed && decision.error().symbol != ledger::kLedgerFailed) {
      observer_.Log(Level::kError,
                    "order " + of.id.text() + ", device " + device.text() + ": " + decision.error().message);
    }
    return decision;
  };
  auto kept = Keep(order, [&](domain::Case& decided) { return orders::DecideItem(order, at, one, decided); });
  // Decided again it would be the same. The device stays as it is, and the order goes on.
  if (!kept && kept.error().symbol == ledger::kUnsound) {
    observer_.Log(Level::kError, "order " + order.id.text() + ": " + kept.error().message);
    kept = Keep(order, [&](domain::Case& decided) {
      return orders::DecideFailed(order, at, std::string(ledger::kUnsound), decided);
    });
  }
  if (!kept) SayTriedAgain(order, kept.error());
  return kept ? *kept : Settled::kAgain;
}

// It is tried each second, and may fail as often.
void OrderDecisions::SayTriedAgain(const domain::Order& order, const Error& why) const {
  const std::string line = "order " + order.id.text() + ", tried again: " + why.message;
  {
    const MutexLock lock(said_mutex_);
    if (!said_.Due(line, SayOnce::Steady::now())) return;
  }
  observer_.Log(Level::kWarning, line);
}

Result<OrderDecisions::Settled> OrderDecisions::Keep(const domain::Order& order, const Decide& decide) const {
  auto outcome = domain::ItemOutcome::kDone;
  bool decided = false;
  const auto kept = executor_.SettleFor(order.owner, [&](domain::Case& at) -> Status {
    const auto item = decide(at);
    if (!item) return item.error();
    outcome = *item;
    decided = !at.changes.empty();
    return Done{};
  });
  if (!kept) return kept.error();
  if (!decided) return Settled::kMoved;
  observer_.OrderItemDone(std::string(domain::OrderKindName(order.kind)),
                          std::string(domain::ItemOutcomeName(outcome)));
  return Settled::kDecided;
}

// Whether it has moved is seen when the orders that run are read again.
OrderDecisions::Settled OrderDecisions::SettleEnd(const domain::Order& order) const {
  const auto kept =
      executor_.SettleFor(order.owner, [&](domain::Case& at) { return orders::DecideEnd(order, at); });
  if (!kept) SayTriedAgain(order, kept.error());
  return kept ? Settled::kMoved : Settled::kAgain;
}

}  // namespace registry::ingest
