#include "bridge/ledger/rocksdb/places.h"

#include <algorithm>

#include "bridge/ledger/record_codec.h"
#include "bridge/ledger/rocksdb/keys.h"
#include "bridge/ledger/rocksdb/place_keys.h"

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
  rocksdb::WriteBatch writes;
  // Unmarked while it is under way. Only the last write is synced: a log keeps its writes in order.
  writes.Delete(store.handle(Column::kMeta), keys::kPlaces);
  const auto last = store.Last(Column::kPlaces);
  if (!last) return last.error();
  if (*last) writes.DeleteRange(store.handle(Column::kPlaces), "", keys::kBehindAll);
  auto made =
      store.Scan(Column::kDevices, "", "", [&](std::string_view, std::string_view record) -> Result<bool> {
        const auto device = Decode<domain::Device>(record);
        if (!device) return device.error();
        const auto kept = DevicePlacesOf(*device);
        for (const auto& key : kept.keys) writes.Put(store.handle(Column::kPlaces), key, kept.brief);
        ++devices;
        if (static_cast<int>(writes.Count()) < kWritesMax) return true;
        if (auto written = store.Write(writes, false); !written) return written.error();
        writes.Clear();
        return true;
      });
  if (!made) return made.error();
  writes.Put(store.handle(Column::kMeta), keys::kPlaces, keys::OfSeq(kPlacesRule));
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
