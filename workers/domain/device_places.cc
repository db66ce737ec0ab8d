#include "workers/domain/device_places.h"

#include <algorithm>

#include "workers/domain/standing.h"

namespace registry::domain {

DeviceGroup DeviceGroup::Of(const std::optional<PartyId>& party) {
  return {GroupKind::kParty, party, std::nullopt, std::nullopt};
}

DeviceGroup DeviceGroup::At(const PartyId& asp, const EndpointName& endpoint) {
  return {GroupKind::kEndpoint, asp, endpoint, std::nullopt};
}

DeviceGroup DeviceGroup::In(State state, const std::optional<PartyId>& party) {
  return {GroupKind::kState, party, std::nullopt, state};
}

DeviceGroup DeviceGroup::ByExpiry(const std::optional<PartyId>& party) {
  return {GroupKind::kExpiry, party, std::nullopt, std::nullopt};
}

DeviceGroup DeviceGroup::Transferred(const std::optional<PartyId>& party) {
  return {GroupKind::kTransfer, party, std::nullopt, std::nullopt};
}

DeviceBrief BriefOf(const Device& device) {
  return {device.id,
          device.state,
          device.statuses,
          Sponsor(device),
          Claimer(device),
          EndpointOf(device),
          LiveCertificate(device) != nullptr ? LiveCertificate(device)->not_after : UtcTime{}};
}

DevicePosition PositionIn(GroupKind kind, const DeviceBrief& device) {
  return {kind == GroupKind::kExpiry ? device.expires : UtcTime{}, device.id};
}

std::vector<DevicePlace> PlacesOf(const Device& device) {
  std::vector<DevicePlace> places;
  const DeviceBrief brief = BriefOf(device);
  const auto add = [&](DeviceGroup group) {
    const DevicePosition position = PositionIn(group.kind, brief);
    places.push_back({std::move(group), position});
  };
  // Of a tombstone only the state is asked: it stays for ever, and no page of devices shall have to step over it.
  const bool deleted = device.state == State::kDeleted;
  std::vector<std::optional<PartyId>> parties{std::nullopt, brief.sponsor};
  if (brief.claimer) parties.emplace_back(*brief.claimer);
  for (const auto& party : parties) {
    add(DeviceGroup::In(device.state, party));
    if (Live(device) != nullptr && !device.statuses.contains(DeviceStatus::kExpired))
      add(DeviceGroup::ByExpiry(party));
    if (!deleted) add(DeviceGroup::Of(party));
  }
  if (brief.claimer && brief.endpoint && !deleted) add(DeviceGroup::At(*brief.claimer, *brief.endpoint));
  if (const Binding* next = NextBinding(device); next != nullptr && !deleted)
    add(DeviceGroup::At(next->asp, next->endpoint));
  if (device.transfer) {
    for (const std::optional<PartyId>& party :
         {std::optional<PartyId>(), std::optional(device.transfer->from), std::optional(device.transfer->to)})
      add(DeviceGroup::Transferred(party));
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

}  // namespace registry::domain
