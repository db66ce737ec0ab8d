// schemas/wire/order_messages.h: the messages about orders, which are work on many devices, as plain structs. Their field
// tables are in order_messages.cc, their codec is codec.h's. Plain values, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/base/utc_time.h"
#include "schemas/ids/ids.h"

namespace registry::wire {

// Which devices: a party's, and of those the ones that one of the others names.
struct OrderSelection {
  static constexpr std::string_view kName = "order-selection";
  std::optional<PartyId> party{};  // the sender where it is not said, or everybody for the operator
  std::optional<EndpointName> endpoint{};
  std::string state{};
  std::optional<UtcTime> expires_before{};
};
struct OrderStart {
  static constexpr std::string_view kName = "order.start";
  std::string kind;
  OrderSelection selection;
  std::string reason;
  std::uint32_t rate = 0;  // devices per second; 0: not said
  bool dry_run = false;
};  // all
struct OrderPause {
  static constexpr std::string_view kName = "order.pause";
  OrderId order;
  std::string reason{};  // kept in the history
};                       // all
struct OrderResume {
  static constexpr std::string_view kName = "order.resume";
  OrderId order;
  std::string reason{};  // kept in the history
};                       // all
struct OrderCancel {
  static constexpr std::string_view kName = "order.cancel";
  OrderId order;
  std::string reason{};  // kept in the history
};                       // all

// Reads.
struct OrderGet {
  static constexpr std::string_view kName = "order.get";
  OrderId order;
};  // all
struct OrderReport {
  static constexpr std::string_view kName = "order.report";
  OrderId order;
  std::string outcome;
  std::uint64_t after = 0;  // `next` of the page before
  std::uint64_t limit = 0;  // 0: not said
};                          // all

struct OrderList {
  static constexpr std::string_view kName = "order.list";
  std::string state;
  std::optional<OrderId> after;  // `next` of the page before
  std::uint64_t limit = 0;       // 0: not said
};                               // all

struct OrderState {
  static constexpr std::string_view kName = "order.state";
  OrderId order;
  PartyId owner;
  std::string kind, state;
  bool dry_run = false;
  std::uint32_t rate = 0;
  std::uint64_t done = 0, refused = 0, failed = 0, skipped = 0;
  UtcTime created, updated;
};  // order.start, order.pause, order.resume, order.cancel, order.get
struct OrderItem {
  static constexpr std::string_view kName = "order-item";
  std::uint64_t number = 0;
  DeviceId device;
  std::string outcome, symbol;
};
struct OrderListed {
  static constexpr std::string_view kName = "order.listed";
  std::vector<OrderState> orders;
  std::optional<OrderId> next;  // none on the last page
};                              // order.list
struct OrderReported {
  static constexpr std::string_view kName = "order.reported";
  std::vector<OrderItem> items;
  std::uint64_t next = 0;  // 0 on the last page
};                         // order.report

// Notifications.
struct OrderProgress {
  static constexpr std::string_view kName = "order.progress";
  OrderId order;
  std::uint64_t done = 0, refused = 0, failed = 0, skipped = 0;
};
struct OrderDone {
  static constexpr std::string_view kName = "order.done";
  OrderId order;
  std::string kind, state;
  bool dry_run = false;
  std::uint64_t done = 0, refused = 0, failed = 0, skipped = 0;
};

}  // namespace registry::wire
