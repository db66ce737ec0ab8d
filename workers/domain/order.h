// workers/domain/order.h: work on many devices as plain values: which devices, how far it is, and what became of each.
// An order goes through a group of devices (device_places.h) in the group's order and decides one device after the other.
// `cursor` and the outcome of a device are written with what was decided for it, so a device is decided once even when the
// registry is killed in between. Plain values, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "workers/domain/device_places.h"

namespace registry::domain {

// Stored: DO NOT CHANGE THESE NUMBERS.
enum class OrderKind : std::uint8_t {
  kDeactivate = 1,
  kDelete = 2,
  kReprovision = 3,  // the payload anew, for the endpoint as it is now
  kSuspend = 4,
  kResume = 5,
  kRekey = 6,
};
std::string_view OrderKindName(OrderKind kind);
std::optional<OrderKind> OrderKindOf(std::string_view name);

// Stored: DO NOT CHANGE THESE NUMBERS.
enum class OrderState : std::uint8_t {
  kRunning = 1,
  kPaused = 2,
  kCancelled = 3,
  kDone = 4,
};
std::string_view OrderStateName(OrderState state);

// Stored: DO NOT CHANGE THESE NUMBERS.
enum class ItemOutcome : std::uint8_t {
  kDone = 1,
  kRefused = 2,  // as the single command would have been
  kFailed = 3,   // on the registry's side
  kSkipped = 4,  // the device had left the selection when its turn came
};
std::string_view ItemOutcomeName(ItemOutcome outcome);
std::optional<ItemOutcome> ItemOutcomeOf(std::string_view name);

struct OrderCounts {
  std::uint64_t done = 0, refused = 0, failed = 0, skipped = 0;
  std::uint64_t all() const { return done + refused + failed + skipped; }
  void Add(ItemOutcome outcome);
  bool operator==(const OrderCounts&) const = default;
};

struct Order {
  OrderId id;
  std::uint64_t version = 0;  // set by the ledger: 1 at creation, +1 with every write
  PartyId owner;
  OrderKind kind = OrderKind::kDeactivate;
  OrderState state = OrderState::kRunning;
  bool dry_run = false;  // the same decisions, and nothing of a device is written
  DeviceGroup selection;
  std::optional<UtcTime> before;         // of a kExpiry selection: certificates that end before this
  std::optional<DevicePosition> cursor;  // of the device decided last
  std::uint32_t rate = 0;                // devices per second, at most
  OrderCounts counts;
  std::string reason;  // said on with every device
  EventId cause;       // the order.start
  std::optional<std::string> traceparent;
  UtcTime created, updated;
  UtcTime told;  // when its owner last heard of its progress

  bool open() const { return state == OrderState::kRunning || state == OrderState::kPaused; }
};

// What became of one device.
struct OrderItem {
  OrderId order;
  std::uint64_t number = 0;  // from 1 without a gap, in the order they were decided
  DeviceId device;
  ItemOutcome outcome = ItemOutcome::kDone;
  std::string symbol;  // of a refusal or failure
  UtcTime at;
};

struct OrderPut {
  Order order;
  std::uint64_t expected_version = 0;  // 0: must not exist
};

}  // namespace registry::domain
