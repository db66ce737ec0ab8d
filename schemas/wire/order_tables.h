// schemas/wire/order_tables.h: the field tables of the messages about orders. Room-internal.
#pragma once

#include "schemas/wire/fields.h"
#include "schemas/wire/order_messages.h"

namespace registry::wire {

template <>
const Fields<OrderSelection>& Table<OrderSelection>();
// Of endpoint, state and expires_before one at most: each is an index of its own.
template <>
Fault Consistent<OrderSelection>(const OrderSelection& selection);
template <>
const Fields<OrderStart>& Table<OrderStart>();
template <>
const Fields<OrderPause>& Table<OrderPause>();
template <>
const Fields<OrderResume>& Table<OrderResume>();
template <>
const Fields<OrderCancel>& Table<OrderCancel>();
template <>
const Fields<OrderGet>& Table<OrderGet>();
template <>
const Fields<OrderReport>& Table<OrderReport>();
template <>
const Fields<OrderState>& Table<OrderState>();
template <>
const Fields<OrderItem>& Table<OrderItem>();
template <>
const Fields<OrderReported>& Table<OrderReported>();
template <>
const Fields<OrderProgress>& Table<OrderProgress>();
template <>
const Fields<OrderDone>& Table<OrderDone>();

}  // namespace registry::wire
