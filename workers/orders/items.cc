#include "workers/orders/items.h"

#include <algorithm>

#include "workers/orders/told.h"

namespace registry::orders {
namespace {

using domain::Changeset;
using domain::ItemOutcome;
using domain::Order;

constexpr std::chrono::seconds kTellEvery{1};

// The order as long as it runs and is where it is known to be: else a device would be left out, or decided twice.
Result<std::optional<Order>> LoadRunning(const Order& known, const View& view) {
  auto order = view.LoadOrder(known.id);
  if (!order) return order.error();
  const bool as_known =
      *order && (*order)->state == domain::OrderState::kRunning && (*order)->cursor == known.cursor;
  return as_known ? std::move(*order) : std::nullopt;
}

bool IsInSelection(const domain::Device& device, const Order& order, const DevicePosition& at) {
  const auto places = domain::PlacesOf(device);
  return std::find(places.begin(), places.end(), domain::DevicePlace{order.selection, at}) != places.end();
}

// ERRORS.md: 2400 and 2502 are about the registry, everything else about the device and who asks.
ItemOutcome OutcomeOf(const Error& error) {
  return error.code == Code::kFailed || error.code == Code::kLimit ? ItemOutcome::kFailed
                                                                   : ItemOutcome::kRefused;
}

// A clock that was set back silences nobody.
bool IsTimeToTell(const Order& order, UtcTime now) {
  return now < order.told || now - order.told >= kTellEvery;
}

ItemDecision Settled(Order order, const DevicePosition& at, ItemOutcome outcome, std::string symbol,
                     Changeset changes, const Context& context) {
  order.cursor = at;
  order.counts.Add(outcome);
  order.updated = context.now;
  changes.order_items.push_back(
      {order.id, order.counts.all(), at.device, outcome, std::move(symbol), context.now});
  if (IsTimeToTell(order, context.now)) TellProgress(order, context, changes);
  const std::uint64_t version = order.version;
  changes.orders.push_back({std::move(order), version});
  return {std::move(changes), outcome};
}

}  // namespace

std::string_view CommandName(domain::OrderKind kind) {
  switch (kind) {
    case domain::OrderKind::kDeactivate:
      return wire::DeviceDeactivate::kName;
  }
  return "";
}

wire::Command CommandOf(const Order& order, const DeviceId& device) {
  switch (order.kind) {
    case domain::OrderKind::kDeactivate:
      break;
  }
  return wire::DeviceDeactivate{device, order.reason};
}

Result<ItemDecision> DecideItem(const Order& known, const DevicePosition& at, const DecideOne& decide,
                                const View& view, const Context& context) {
  auto order = LoadRunning(known, view);
  if (!order) return order.error();
  if (!*order) return ItemDecision{};
  Context of_order = context;
  of_order.traceparent = (*order)->traceparent;
  const auto device = view.LoadDevice(at.device);
  if (!device)
    return Settled(std::move(**order), at, ItemOutcome::kFailed, device.error().symbol, {}, of_order);
  if (!*device || !IsInSelection(**device, **order, at))
    return Settled(std::move(**order), at, ItemOutcome::kSkipped, "", {}, of_order);
  auto decision = decide(**order, at.device, of_order);
  if (!decision) {
    const Error& why = decision.error();
    return Settled(std::move(**order), at, OutcomeOf(why), why.symbol, {}, of_order);
  }
  Changeset changes = (*order)->dry_run ? Changeset{} : std::move(decision->changes);
  return Settled(std::move(**order), at, ItemOutcome::kDone, "", std::move(changes), of_order);
}

Result<ItemDecision> DecideFailed(const Order& known, const DevicePosition& at, const std::string& symbol,
                                  const View& view, const Context& context) {
  auto order = LoadRunning(known, view);
  if (!order) return order.error();
  if (!*order) return ItemDecision{};
  return Settled(std::move(**order), at, ItemOutcome::kFailed, symbol, {}, context);
}

Result<Changeset> DecideEnd(const Order& known, const View& view, const Context& context) {
  auto order = LoadRunning(known, view);
  if (!order) return order.error();
  Changeset changes;
  if (!*order) return changes;
  Order& ended = **order;
  ended.state = domain::OrderState::kDone;
  ended.updated = context.now;
  Context of_order = context;
  of_order.traceparent = ended.traceparent;
  changes.history.push_back(Entry(ended, domain::RegistryParty(), "done", context.now, ended.cause));
  TellDone(ended, of_order, changes);
  const std::uint64_t version = ended.version;
  changes.orders.push_back({std::move(ended), version});
  return changes;
}

}  // namespace registry::orders
