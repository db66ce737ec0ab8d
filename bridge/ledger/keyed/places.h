// bridge/ledger/keyed/places.h: keeps the index of devices (family `places`) in step with the devices: what one commit
// changes of them, and how they are made anew in a folder that has none.
// The mark `places` in family `meta` says by which rule they were made. It is written last, so a making that was cut
// short, and places of another rule, are made anew at the next opening for writing.
// Private to bridge/ledger. Threads: the committer, and whoever opens the ledger.
#pragma once

#include <string>
#include <vector>

#include "bridge/ledger/keyed/ordered_writes.h"

namespace registry::ledger {

// Raised with every change of domain::PlacesOf, domain::BriefOf or their octets. Stored: A NUMBER IS NEVER USED AGAIN.
inline constexpr std::uint64_t kPlacesRule = 2;

Result<bool> HasPlaces(const Store& store);
// All of them anew, from all devices. The number of devices; kLedgerDamaged when one cannot be read.
Result<std::uint64_t> MakePlaces(Store& store);

// What is kept of one device: at each of these keys, which are in order, the same brief.
struct DevicePlaces {
  std::vector<std::string> keys;
  std::string brief;
};
DevicePlaces DevicePlacesOf(const domain::Device& device);
// What changes when a device has these places and had those. `has` outlives the writes' move.
void StagePlaces(const DevicePlaces& had, const DevicePlaces& has, OrderedWrites& writes);

}  // namespace registry::ledger
