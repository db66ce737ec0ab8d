// The field tables of every message in order_messages.h, in its order.
#include "schemas/wire/order_messages.h"

#include "schemas/wire/order_tables.h"
#include "schemas/wire/parts.h"

namespace registry::wire {
namespace {

using Order = IdForm<OrderId>;
using Party = IdForm<PartyId>;

struct OrderKindWords {
  static constexpr std::array<std::string_view, 6> kWords{"deactivate", "delete", "reprovision",
                                                          "suspend",    "resume", "rekey"};
};
struct OrderStateWords {
  static constexpr std::array<std::string_view, 4> kWords{"running", "paused", "cancelled", "done"};
};
struct ItemOutcomeWords {
  static constexpr std::array<std::string_view, 4> kWords{"done", "refused", "failed", "skipped"};
};
using Rate = Integer<std::uint32_t, 1, 500>;

template <class Message>
Fields<Message> OnlyOrder() {
  return {Must<Order, &Message::order>("order")};
}

template <class Message>
Fields<Message> OrderAndReason() {
  return {Must<Order, &Message::order>("order"), May<Line, &Message::reason>("reason")};
}

template <class Message>
void AddCounts(Fields<Message>& fields) {
  fields.push_back(Must<Count, &Message::done>("done"));
  fields.push_back(Must<Count, &Message::refused>("refused"));
  fields.push_back(Must<Count, &Message::failed>("failed"));
  fields.push_back(Must<Count, &Message::skipped>("skipped"));
}

}  // namespace

template <>
const Fields<OrderSelection>& Table<OrderSelection>() {
  static const Fields<OrderSelection> table{May<Party, &OrderSelection::party>("party"),
                                            May<IdForm<EndpointName>, &OrderSelection::endpoint>("endpoint"),
                                            May<Word<StateWords>, &OrderSelection::state>("state"),
                                            May<Time, &OrderSelection::expires_before>("expiresBefore")};
  return table;
}
template <>
Fault Consistent<OrderSelection>(const OrderSelection& selection) {
  const int keys =
      (selection.endpoint ? 1 : 0) + (selection.state.empty() ? 0 : 1) + (selection.expires_before ? 1 : 0);
  if (keys <= 1) return std::nullopt;
  return BadValue("selection_mismatch", "takes one of endpoint, state and expiresBefore");
}
template <>
const Fields<OrderStart>& Table<OrderStart>() {
  static const Fields<OrderStart> table{Must<Word<OrderKindWords>, &OrderStart::kind>("kind"),
                                        Must<Part<OrderSelection>, &OrderStart::selection>("selection"),
                                        May<Line, &OrderStart::reason>("reason"),
                                        May<Rate, &OrderStart::rate>("rate"),
                                        May<Switch, &OrderStart::dry_run>("dryRun")};
  return table;
}
template <>
const Fields<OrderPause>& Table<OrderPause>() {
  static const auto table = OrderAndReason<OrderPause>();
  return table;
}
template <>
const Fields<OrderResume>& Table<OrderResume>() {
  static const auto table = OrderAndReason<OrderResume>();
  return table;
}
template <>
const Fields<OrderCancel>& Table<OrderCancel>() {
  static const auto table = OrderAndReason<OrderCancel>();
  return table;
}
template <>
const Fields<OrderGet>& Table<OrderGet>() {
  static const auto table = OnlyOrder<OrderGet>();
  return table;
}
template <>
const Fields<OrderReport>& Table<OrderReport>() {
  static const Fields<OrderReport> table{Must<Order, &OrderReport::order>("order"),
                                         May<Word<ItemOutcomeWords>, &OrderReport::outcome>("outcome"),
                                         May<Ordinal, &OrderReport::after>("after"),
                                         May<Integer<std::uint64_t, 1, 500>, &OrderReport::limit>("limit")};
  return table;
}
template <>
const Fields<OrderList>& Table<OrderList>() {
  static const Fields<OrderList> table{May<Word<OrderStateWords>, &OrderList::state>("state"),
                                       May<Order, &OrderList::after>("after"),
                                       May<Integer<std::uint64_t, 1, 500>, &OrderList::limit>("limit")};
  return table;
}

template <>
const Fields<OrderState>& Table<OrderState>() {
  static const Fields<OrderState> table = [] {
    Fields<OrderState> fields{Must<Order, &OrderState::order>("order"),
                              Must<Party, &OrderState::owner>("owner"),
                              Must<Word<OrderKindWords>, &OrderState::kind>("kind"),
                              Must<Word<OrderStateWords>, &OrderState::state>("state"),
                              May<Switch, &OrderState::dry_run>("dryRun"),
                              Must<Rate, &OrderState::rate>("rate")};
    AddCounts(fields);
    fields.push_back(Must<Time, &OrderState::created>("created"));
    fields.push_back(Must<Time, &OrderState::updated>("updated"));
    return fields;
  }();
  return table;
}
template <>
const Fields<OrderItem>& Table<OrderItem>() {
  static const Fields<OrderItem> table{Must<Ordinal, &OrderItem::number>("number"),
                                       Must<IdForm<DeviceId>, &OrderItem::device>("device"),
                                       Must<Word<ItemOutcomeWords>, &OrderItem::outcome>("outcome"),
                                       May<Symbol, &OrderItem::symbol>("symbol")};
  return table;
}
template <>
const Fields<OrderListed>& Table<OrderListed>() {
  static const Fields<OrderListed> table{
      Must<ListOf<Part<OrderState>, 0, 500>, &OrderListed::orders>("orders"),
      May<Order, &OrderListed::next>("next")};
  return table;
}

template <>
const Fields<OrderReported>& Table<OrderReported>() {
  static const Fields<OrderReported> table{
      Must<ListOf<Part<OrderItem>, 0, 500>, &OrderReported::items>("items"),
      May<Ordinal, &OrderReported::next>("next")};
  return table;
}
template <>
const Fields<OrderProgress>& Table<OrderProgress>() {
  static const Fields<OrderProgress> table = [] {
    auto fields = OnlyOrder<OrderProgress>();
    AddCounts(fields);
    return fields;
  }();
  return table;
}
template <>
const Fields<OrderDone>& Table<OrderDone>() {
  static const Fields<OrderDone> table = [] {
    auto fields = OnlyOrder<OrderDone>();
    fields.push_back(Must<Word<OrderKindWords>, &OrderDone::kind>("kind"));
    fields.push_back(Must<Word<OrderStateWords>, &OrderDone::state>("state"));
    fields.push_back(May<Switch, &OrderDone::dry_run>("dryRun"));
    AddCounts(fields);
    return fields;
  }();
  return table;
}

}  // namespace registry::wire
