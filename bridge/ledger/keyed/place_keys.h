// bridge/ledger/keyed/place_keys.h: the keys of family `places`, as FORMAT.md lists them: their octets sort as places do.
// Private to bridge/ledger. Pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bridge/ledger/ledger.h"

namespace registry::ledger::keys {

std::string OfPlace(const domain::DevicePlace& place);
// nullopt: not the key of a place.
std::optional<domain::DevicePlace> PlaceOf(std::string_view key);
std::optional<DeviceId> DeviceAtEnd(std::string_view key);
// Of every place of the device, in order.
std::vector<std::string> OfPlaces(const domain::Device& device);

// Keys from `first` up to, and not with, `end`.
struct KeyRange {
  std::string first, end;
};
KeyRange OfGroup(const domain::DeviceGroup& group, const std::optional<domain::DevicePosition>& after,
                 std::optional<UtcTime> before);

}  // namespace registry::ledger::keys
