#include "bridge/ledger/keyed/place_keys.h"

#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/record_fields.h"

namespace registry::ledger::keys {
namespace {

using domain::DeviceGroup;
using domain::DevicePlace;
using domain::DevicePosition;
using domain::GroupKind;

constexpr std::uint64_t kSign = 1ull << 63;  // flipped, so that a time before 1970 sorts first

// What all keys of a group begin with. Its last octet is 0, a kind or a state, so never 0xff.
std::string HeadOf(const DeviceGroup& group) {
  std::string key(1, static_cast<char>(group.kind));
  key += (group.party ? group.party->text() : "") + '\0';
  if (group.kind == GroupKind::kEndpoint) key += (group.endpoint ? group.endpoint->text() : "") + '\0';
  if (group.kind == GroupKind::kState && group.state) key += static_cast<char>(*group.state);
  return key;
}

std::string OfTime(UtcTime time) { return OfSeq(static_cast<std::uint64_t>(time.micros) ^ kSign); }

std::string OfPosition(GroupKind kind, const DevicePosition& position) {
  return (kind == GroupKind::kExpiry ? OfTime(position.expires) : "") + OfDevice(position.device);
}

// Takes octets from the front of `in`; nullopt when there are not as many.
std::optional<std::string_view> Take(std::string_view& in, std::size_t size) {
  if (in.size() < size) return std::nullopt;
  const std::string_view taken = in.substr(0, size);
  in.remove_prefix(size);
  return taken;
}

std::optional<std::string_view> TakeText(std::string_view& in) {
  const auto taken = Take(in, std::min(in.find('\0'), in.size()));
  return Take(in, 1) ? taken : std::nullopt;
}

// Of the group, what its kind asks for behind the party.
bool TakeRest(std::string_view& in, DevicePlace& place) {
  if (place.group.kind == GroupKind::kEndpoint) {
    const auto name = TakeText(in);
    if (name) place.group.endpoint = EndpointName::Parse(*name);
    return place.group.endpoint.has_value();
  }
  if (place.group.kind == GroupKind::kState) {
    const auto state = Take(in, 1);
    if (state)
      place.group.state = StoredEnum<domain::State>::FromStored(static_cast<std::uint8_t>(state->front()));
    return place.group.state.has_value();
  }
  if (place.group.kind == GroupKind::kExpiry) {
    const auto time = Take(in, 8);
    if (time) place.position.expires.micros = static_cast<std::int64_t>(Fixed64(*time) ^ kSign);
    return time.has_value();
  }
  return place.group.kind == GroupKind::kParty || place.group.kind == GroupKind::kTransfer;
}

}  // namespace

std::string OfPlace(const DevicePlace& place) {
  return HeadOf(place.group) + OfPosition(place.group.kind, place.position);
}

std::vector<std::string> OfPlaces(const domain::Device& device) {
  std::vector<std::string> places;
  for (const auto& place : domain::PlacesOf(device)) places.push_back(OfPlace(place));
  return places;
}

std::optional<DeviceId> DeviceAtEnd(std::string_view key) {
  DeviceId::Octets octets;
  if (key.size() < octets.size()) return std::nullopt;
  const auto end = key.substr(key.size() - octets.size());
  std::copy(end.begin(), end.end(), octets.begin());
  return DeviceId::FromOctets(octets);
}

std::optional<DevicePlace> PlaceOf(std::string_view key) {
  DevicePlace place;
  const auto kind = Take(key, 1);
  const auto party = TakeText(key);
  if (!kind || !party) return std::nullopt;
  place.group.kind = static_cast<GroupKind>(kind->front());
  if (!party->empty()) {
    place.group.party = PartyId::Parse(*party);
    if (!place.group.party) return std::nullopt;
  }
  if (!TakeRest(key, place) || key.size() != DeviceId::Octets{}.size()) return std::nullopt;
  place.position.device = *DeviceAtEnd(key);
  return place;
}

KeyRange OfGroup(const DeviceGroup& group, const std::optional<DevicePosition>& after,
                 std::optional<UtcTime> before) {
  const std::string head = HeadOf(group);
  KeyRange range{after ? Behind(head + OfPosition(group.kind, *after)) : head, head};
  if (before && group.kind == GroupKind::kExpiry) {
    range.end += OfTime(*before);
  } else {
    range.end.back() = static_cast<char>(range.end.back() + 1);
  }
  return range;
}

}  // namespace registry::ledger::keys
