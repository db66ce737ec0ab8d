#include "bridge/ledger/keyed/places.h"

#include <algorithm>

#include "bridge/ledger/keyed/erase_family.h"
#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/keyed/place_keys.h"
#include "bridge/ledger/record_codec.h"

namespace registry::ledger {

DevicePlaces DevicePlacesOf(const domain::Device& device) {
  return {keys::OfPlaces(device), Encode(domain::BriefOf(device))};
}

Result<bool> HasPlaces(const Store& store) {
  const auto rule = store.Get(Column::kMeta, keys::kPlaces);
  if (!rule) return rule.error();
  return *rule == keys::OfSeq(kPlacesRule);
}

Result<std::uint64_t> MakePlaces(Store& store) {
  std::uint64_t devices = 0;
  OrderedWrites writes;
  // Unmarked while it is under way. Only the last write is synced: a log keeps its writes in order.
  writes.Delete(Column::kMeta, keys::kPlaces);
  if (auto erased = EraseFamily(store, Column::kPlaces, writes); !erased) return erased.error();
  auto made =
      store.Scan(Column::kDevices, "", "", [&](std::string_view, std::string_view record) -> Result<bool> {
        const auto device = Decode<domain::Device>(record);
        if (!device) return device.error();
        auto kept = DevicePlacesOf(*device);
        const std::string_view brief = writes.Keep(std::move(kept.brief));
        for (auto& key : kept.keys) writes.Put(Column::kPlaces, writes.Keep(std::move(key)), brief);
        ++devices;
        if (writes.size() < kWritesMax) return true;
        if (auto written = store.Write(writes, false); !written) return written.error();
        return true;
      });
  if (!made) return made.error();
  writes.Put(Column::kMeta, keys::kPlaces, writes.Keep(keys::OfSeq(kPlacesRule)));
  if (auto written = store.Write(writes, true); !written) return written.error();
  return devices;
}

void StagePlaces(const DevicePlaces& had, const DevicePlaces& has, OrderedWrites& writes) {
  const auto stands_in = [](const std::string& place, const DevicePlaces& places) {
    return std::binary_search(places.keys.begin(), places.keys.end(), place);
  };
  for (const auto& place : had.keys) {
    if (!stands_in(place, has)) writes.Delete(Column::kPlaces, writes.Keep(place));
  }
  // A list says the same of it wherever it stands.
  const bool says_the_same = has.brief == had.brief;
  for (const auto& place : has.keys) {
    if (!says_the_same || !stands_in(place, had)) writes.Put(Column::kPlaces, place, has.brief);
  }
}

}  // namespace registry::ledger
