// bridge/ledger/order_fields.h: the tags of the records of orders (record_fields.h has the others and the rules).
// Private to bridge/ledger. Plain functions, any thread.
#pragma once

#include "bridge/ledger/fields.h"
#include "workers/domain/order.h"

namespace registry::ledger {

template <>
struct StoredEnum<domain::OrderKind> : FrozenEnum<domain::OrderKind, 6> {};
template <>
struct StoredEnum<domain::OrderState> : FrozenEnum<domain::OrderState, 4> {};
template <>
struct StoredEnum<domain::ItemOutcome> : FrozenEnum<domain::ItemOutcome, 4> {};
template <>
struct StoredEnum<domain::GroupKind> : FrozenEnum<domain::GroupKind, 5> {};

template <class A, Is<domain::DeviceGroup> T>
void Fields(A& archive, T& group) {
  archive(1, group.kind);
  archive(2, group.party);
  archive(3, group.endpoint);
  archive(4, group.state);
}

template <class A, Is<domain::DevicePosition> T>
void Fields(A& archive, T& position) {
  archive(1, position.expires);
  archive(2, position.device);
}

template <class A, Is<domain::OrderCounts> T>
void Fields(A& archive, T& counts) {
  archive(1, counts.done);
  archive(2, counts.refused);
  archive(3, counts.failed);
  archive(4, counts.skipped);
}

template <class A, Is<domain::Order> T>
void Fields(A& archive, T& order) {
  archive(1, order.version);  // kVersionTag
  archive(2, order.id);
  archive(3, order.owner);
  archive(4, order.kind);
  archive(5, order.state);
  archive(6, order.dry_run);
  archive(7, order.selection);
  archive(8, order.before);
  archive(9, order.cursor);
  archive(10, order.rate);
  archive(11, order.counts);
  archive(12, order.reason);
  archive(13, order.cause);
  archive(14, order.traceparent);
  archive(15, order.created);
  archive(16, order.updated);
  archive(17, order.told);
}

template <class A, Is<domain::OrderItem> T>
void Fields(A& archive, T& item) {
  archive(1, item.order);
  archive(2, item.number);
  archive(3, item.device);
  archive(4, item.outcome);
  archive(5, item.symbol);
  archive(6, item.at);
}

}  // namespace registry::ledger
