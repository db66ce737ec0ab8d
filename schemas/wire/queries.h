// schemas/wire/queries.h: commands that only ask, and what they are told: answered from what is committed, neither marked
// nor remembered. Their field tables are in read_messages.cc, their codec is codec.h's. Plain values, any thread.
#pragma once

#include "schemas/wire/codec.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/life_messages.h"

namespace registry::wire {

struct DeviceGet {
  static constexpr std::string_view kName = "device.get";
  DeviceId device;
};  // all
struct DeviceTrace {
  static constexpr std::string_view kName = "device.trace";
  DeviceId device;
};  // all
struct DeviceList {
  static constexpr std::string_view kName = "device.list";
  std::string state;
  std::optional<EndpointName> endpoint;
  std::optional<UtcTime> expires_before;
  std::string after;        // `next` of the page before
  std::uint64_t limit = 0;  // 0: not said
};                          // all

// What a list says of a device.
struct DeviceBrief {
  static constexpr std::string_view kName = "device-brief";
  DeviceId device;
  std::string state;
  std::vector<std::string> holds{};
  PartyId sponsor;
  std::optional<PartyId> claimer{};
  std::optional<EndpointName> endpoint{};
  std::optional<UtcTime> not_after{};
};
struct DeviceDescribed {
  static constexpr std::string_view kName = "device.described";
  DeviceId device;
  std::string name, state;
  std::vector<std::string> holds;
  bool attached = false;
  PartyId sponsor;
  std::optional<PartyId> claimer;
  std::optional<EndpointName> endpoint;
  std::optional<Eid> eid;      // to the sponsor only
  std::optional<Iccid> iccid;  // to the sponsor only
  std::string serial;          // empty without a live certificate
  std::optional<UtcTime> not_after;
  std::vector<DeviceProfile> profiles{};
  std::vector<DeviceCredential> credentials{};
  std::optional<TransferId> transfer{};  // pending or approved
  UtcTime created, updated;
};  // device.get
struct DeviceListed {
  static constexpr std::string_view kName = "device.listed";
  std::vector<DeviceBrief> devices;
  std::string next;  // empty on the last page
};                   // device.list
struct DeviceWait {
  static constexpr std::string_view kName = "device-wait";
  std::string what;
  PartyId who;
  std::uint32_t attempt = 1;
  std::uint32_t attempts = 0;  // 0: nothing is given up
  UtcTime due;
  std::optional<UtcTime> given_up;
};
struct DeviceStep {
  static constexpr std::string_view kName = "device-step";
  std::string step;
  UtcTime at;
};
struct DeviceTraced {
  static constexpr std::string_view kName = "device.traced";
  DeviceId device;
  std::string state;
  std::string says;
  std::vector<DeviceWait> waits;
  std::vector<DeviceStep> steps;
};  // device.trace

using Query = VariantOf<void REGISTRY_QUERIES(REGISTRY_AND)>;

// A page names up to 500 devices, so what the registry says may have more values than what a party says.
inline constexpr std::size_t kReplyValuesMax = 8192;
Result<Envelope> DecodeReply(std::string_view payload);

}  // namespace registry::wire
