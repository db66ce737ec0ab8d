// workers/domain/view.h: what a decision may read. Implemented by the ledger (bridge/ledger) and by maps in tests.
// Thread-safe for const calls. An Error means the store failed, never "not there".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/base/result.h"
#include "workers/domain/changeset.h"
#include "workers/domain/device.h"
#include "workers/domain/device_places.h"
#include "workers/domain/job.h"
#include "workers/domain/order.h"

namespace registry::domain {

// Symbol of an Error: the store failed for the moment, and nothing is known of what was asked.
inline constexpr std::string_view kLedgerFailed = "ledger_failed";

class View {
 public:
  virtual ~View() = default;
  virtual Result<std::optional<Device>> LoadDevice(const DeviceId& id) const = 0;  // tombstones included
  virtual Result<std::optional<DeviceId>> FindUnique(const UniqueValue& value) const = 0;
  virtual Result<std::optional<EndpointRecord>> LoadEndpoint(const PartyId& asp,
                                                             const EndpointName& name) const = 0;
  // Every endpoint: those of one ASP together, in order of name.
  virtual Result<std::vector<EndpointRecord>> EndpointsAfter(const std::optional<EndpointKey>& after,
                                                             std::size_t limit) const = 0;
  virtual Result<std::optional<Job>> LoadJob(const JobId& id) const = 0;
  virtual Result<std::vector<Job>> JobsOf(const DeviceId& device) const = 0;
  // Devices of a group in its order, after `after`, at most `limit`, all as of one moment; of a kExpiry group those whose
  // certificate ends before `before`.
  virtual Result<std::vector<DeviceBrief>> DevicesIn(const DeviceGroup& group,
                                                     const std::optional<DevicePosition>& after,
                                                     std::optional<UtcTime> before,
                                                     std::size_t limit) const = 0;
  virtual Result<std::optional<Order>> LoadOrder(const OrderId& id) const = 0;
  // All of this owner, or everybody's, in order of id.
  virtual Result<std::vector<Order>> OrdersOf(const std::optional<PartyId>& owner) const = 0;
  // What became of its devices, from the number behind `after` on.
  virtual Result<std::vector<OrderItem>> OrderItemsAfter(const OrderId& order, std::uint64_t after,
                                                         std::size_t limit) const = 0;
  virtual Result<JobLoad> LoadOf(const PartyId& mno) const = 0;
};

// Random octets for ids, serials and codes. A worker never reaches for entropy itself, so a seeded source makes a
// decision repeatable.
using FillRandom = std::function<void(std::uint8_t* out, std::size_t size)>;

// What every decision is given besides the command and the view.
struct Context {
  UtcTime now;
  FillRandom random;
  // Of the command that is decided (W3C Trace Context, unread); Notify and Action pass it on (design §3).
  std::optional<std::string> traceparent = std::nullopt;
};

}  // namespace registry::domain
