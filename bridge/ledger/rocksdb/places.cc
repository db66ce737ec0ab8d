#include "bridge/ledger/rocksdb/places.h"

#include <algorithm>
#include <iterator>

#include "bridge/ledger/record_codec.h"
#include "bridge/ledger/rocksdb/keys.h"
#include "bridge/ledger/rocksdb/place_keys.h"

namespace registry::ledger {
namespace {

constexpr int kWritesMax = 20'000;  // of one batch while all are made, a bound on memory
constexpr const char* kBehindAll = "\xff";

PlaceChanges::Kept KeptOf(const domain::Device& device) {
  return {keys::OfPlaces(device), Encode(domain::BriefOf(device))};
}

}  // namespace

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
  if (*last) writes.DeleteRange(store.handle(Column::kPlaces), "", kBehindAll);
  auto made =
      store.Scan(Column::kDevices, "", "", [&](std::string_view, std::string_view record) -> Result<bool> {
        const auto device = Decode<domain::Device>(record);
        if (!device) return device.error();
        const auto kept = KeptOf(*device);
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

Result<PlaceChanges::ByDevice> PlaceChanges::Before(const domain::Changeset& changeset,
                                                    const Records& stored) const {
  ByDevice before;
  for (const auto& put : changeset.devices) {
    std::string device = keys::OfDevice(put.device.id);
    if (before.contains(device)) continue;
    const auto staged = staged_.find(device);
    auto places = staged != staged_.end() ? Result<Kept>(staged->second) : Of(device, stored);
    if (!places) return places.error();
    before.emplace(std::move(device), std::move(*places));
  }
  return before;
}

Result<PlaceChanges::Kept> PlaceChanges::Of(const std::string& device, const Records& stored) {
  const auto record = stored.find(device);
  if (record == stored.end()) return Kept{};
  const auto decoded = Decode<domain::Device>(record->second);
  if (!decoded) return decoded.error();
  return KeptOf(*decoded);
}

void PlaceChanges::Stage(const domain::Device& device, ByDevice& before, rocksdb::WriteBatch& writes) {
  const std::string key = keys::OfDevice(device.id);
  Kept& had = before[key];
  Kept has = KeptOf(device);
  std::vector<std::string> gone, come;
  std::set_difference(had.keys.begin(), had.keys.end(), has.keys.begin(), has.keys.end(),
                      std::back_inserter(gone));
  std::set_difference(has.keys.begin(), has.keys.end(), had.keys.begin(), had.keys.end(),
                      std::back_inserter(come));
  for (const auto& place : gone) writes.Delete(store_.handle(Column::kPlaces), place);
  // A list says the same of it wherever it stands.
  for (const auto& place : has.brief == had.brief ? come : has.keys)
    writes.Put(store_.handle(Column::kPlaces), place, has.brief);
  staged_[key] = has;
  had = std::move(has);
}

}  // namespace registry::ledger
