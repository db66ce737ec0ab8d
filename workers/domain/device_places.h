// workers/domain/device_places.h: the groups devices are found by, and the pure functions from a device to its places in
// them and to what a list says of it. A backend of the ledger keeps exactly these places, each with the brief, written
// with the device in one commit (bridge/ledger/FORMAT.md says as which octets); Verify compares them with what these
// functions say of every device.
// Here and not in the ledger: whose a device is and when it counts as gone are the domain's to say, and whoever asks for
// a page of devices names a group. Pure, any thread.
#pragma once

#include <compare>
#include <optional>
#include <vector>

#include "workers/domain/device.h"

namespace registry::domain {

// Stored: DO NOT CHANGE THESE NUMBERS.
enum class GroupKind : std::uint8_t {
  kParty = 1,     // what a party sponsors or has claimed, or everybody's, but for deleted devices
  kEndpoint = 2,  // what is bound to an ASP's endpoint, or is about to be, but for deleted devices
  kState = 3,     // what is in a state: a party's, or everybody's
  kExpiry = 4,    // what has a live certificate that is not expired, by its end: a party's, or everybody's
  // What has had a transfer: of a party that loses or gains by the last one, or everybody's; deleted ones too.
  kTransfer = 5,
};

struct DeviceGroup {
  GroupKind kind = GroupKind::kParty;
  std::optional<PartyId> party;          // nullopt: everybody's; kEndpoint always has one
  std::optional<EndpointName> endpoint;  // kEndpoint
  std::optional<State> state;            // kState

  static DeviceGroup Of(const std::optional<PartyId>& party);
  static DeviceGroup At(const PartyId& asp, const EndpointName& endpoint);
  static DeviceGroup In(State state, const std::optional<PartyId>& party);
  static DeviceGroup ByExpiry(const std::optional<PartyId>& party);
  static DeviceGroup Transferred(const std::optional<PartyId>& party);
  auto operator<=>(const DeviceGroup&) const = default;
};

// What a list says of a device, so that a page of many need not read them all.
struct DeviceBrief {
  DeviceId id;
  State state = State::kRegistered;
  std::set<DeviceStatus> statuses;
  PartyId sponsor;
  std::optional<PartyId> claimer;
  std::optional<EndpointName> endpoint;
  UtcTime expires;  // the end of the live certificate; zero without one
  bool operator==(const DeviceBrief&) const = default;
};
DeviceBrief BriefOf(const Device& device);

// Where in its group; groups are in this order.
struct DevicePosition {
  UtcTime expires;  // kExpiry: the end of the live certificate; else zero
  DeviceId device;
  auto operator<=>(const DevicePosition&) const = default;
};
DevicePosition PositionIn(GroupKind kind, const DeviceBrief& device);

struct DevicePlace {
  DeviceGroup group;
  DevicePosition position;
  auto operator<=>(const DevicePlace&) const = default;
};

// Every place of the device, each once, in order.
std::vector<DevicePlace> PlacesOf(const Device& device);

}  // namespace registry::domain
