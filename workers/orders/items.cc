#include "workers/orders/items.h"

#include <algorithm>

#include "workers/domain/standing.h"
#include "workers/orders/kinds.h"
#include "workers/orders/told.h"

namespace registry::orders {
namespace {

using domain::Changeset;
using domain::ItemOutcome;
using domain::Order;

constexpr std::chrono::seconds kTellEvery{1};

// The order as long as it runs and is where it is known to be: else a device would be left out, or decided twice.
Result<std::optional<Order>> LoadRunning(const Order& known, const domain::View& view) {
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

// By the ends of certificates, a device that is certified anew stands further on once more: it has had its turn.
bool CertifiedSince(const domain::Device& device, const Order& order) {
  if (order.selection.kind != domain::GroupKind::kExpiry) return false;
  const domain::Credential* live = domain::Live(device);
  return live != nullptr && live->since > order.created;
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

ItemOutcome Settled(Order order, const DevicePosition& place, ItemOutcome outcome, std::string symbol,
                    const Context& context, Changeset& changes) {
  order.cursor = place;
  order.counts.Add(outcome);
  order.updated = context.now;
  changes.order_items.push_back(
      {order.id, order.counts.all(), place.device, outcome, std::move(symbol), context.now});
  if (IsTimeToTell(order, context.now)) TellProgress(order, context, changes);
  const std::uint64_t version = order.version;
  changes.orders.push_back({std::move(order), version});
  return outcome;
}

}  // namespace

Result<ItemOutcome> DecideItem(const Order& known, const DevicePosition& place, const DecideOne& decide,
                               Case& at) {
  auto order = LoadRunning(known, at.view);
  if (!order) return order.error();
  if (!*order) return ItemOutcome::kSkipped;
  Context of_order = at.context;
  of_order.traceparent = (*order)->traceparent;
  const auto settled = [&](ItemOutcome outcome, std::string symbol) {
    return Settled(std::move(**order), place, outcome, std::move(symbol), of_order, at.changes);
  };
  const auto device = at.view.LoadDevice(place.device);
  if (!device && device.error().symbol == domain::kLedgerFailed) return device.error();
  if (!device) return settled(ItemOutcome::kFailed, device.error().symbol);
  if (!*device || !IsInSelection(**device, **order, place) || CertifiedSince(**device, **order) ||
      PassesOver((*order)->kind, **device)) {
    return settled(ItemOutcome::kSkipped, "");
  }
  auto decision = decide(**order, place.device, of_order);
  if (!decision && decision.error().symbol == domain::kLedgerFailed) return decision.error();
  if (!decision) return settled(OutcomeOf(decision.error()), decision.error().symbol);
  if (!(*order)->dry_run) at.changes = std::move(decision->changes);
  return settled(ItemOutcome::kDone, "");
}

Result<ItemOutcome> DecideFailed(const Order& known, const DevicePosition& place, const std::string& symbol,
                                 Case& at) {
  auto order = LoadRunning(known, at.view);
  if (!order) return order.error();
  if (!*order) return ItemOutcome::kSkipped;
  return Settled(std::move(**order), place, ItemOutcome::kFailed, symbol, at.context, at.changes);
}

Status DecideEnd(const Order& known, Case& at) {
  auto order = LoadRunning(known, at.view);
  if (!order) return order.error();
  if (!*order) return Done{};
  Order& ended = **order;
  ended.state = domain::OrderState::kDone;
  ended.updated = at.context.now;
  Context of_order = at.context;
  of_order.traceparent = ended.traceparent;
  at.changes.history.push_back(Entry(ended, at.origin.party, "done", at.context.now, ended.cause));
  TellDone(ended, of_order, at.changes);
  const std::uint64_t version = ended.version;
  at.changes.orders.push_back({std::move(ended), version});
  return Done{};
}

}  // namespace registry::orders
