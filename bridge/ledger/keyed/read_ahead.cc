#include "bridge/ledger/keyed/read_ahead.h"

namespace registry::ledger {
namespace {

std::string PlaceOfRecord(Column column, const std::string& key) {
  return std::string(1, static_cast<char>(column)) += key;
}

}  // namespace

std::vector<Store::Place> ReadAhead::Want(const std::vector<const Encoded*>& changesets,
                                          const IsKnown& is_known) {
  std::vector<Store::Place> places;
  const auto want = [&](Column column, const std::string& key) {
    if (read_.emplace(PlaceOfRecord(column, key), std::nullopt).second) places.emplace_back(column, key);
  };
  for (const Encoded* const changeset : changesets) {
    if (changeset->mark) want(Column::kEvents, changeset->mark->key);
    for (const auto& put : changeset->versioned) {
      if (put.column != Column::kDevices || !is_known(put.key)) want(put.column, put.key);
    }
    for (const auto& seen : changeset->seen) want(seen.column, seen.key);
    for (const auto& erased : changeset->endpoints_erase) want(Column::kEndpoints, erased.endpoint.key);
    for (const auto& claim : changeset->claims) want(Column::kUnique, claim.value);
  }
  return places;
}

void ReadAhead::Take(const std::vector<Store::Place>& places, std::vector<Store::Stored> stored) {
  for (std::size_t i = 0; i < places.size(); ++i)
    read_[PlaceOfRecord(places[i].first, places[i].second)] = std::move(stored[i]);
}

Status ReadAhead::Fetch(const std::vector<const Encoded*>& changesets, const IsKnown& is_known) {
  Begin();
  if (!store_.IsFar()) return Done{};
  const auto places = Want(changesets, is_known);
  if (places.empty()) return Done{};
  auto read = store_.GetAll(places);
  if (!read) {
    read_.clear();
    return read.error();
  }
  Take(places, std::move(*read));
  return Done{};
}

Result<Store::Stored> ReadAhead::Get(Column column, const std::string& key) const {
  if (read_.empty()) return store_.Get(column, key);
  if (const auto read = read_.find(PlaceOfRecord(column, key)); read != read_.end()) return read->second;
  return store_.Get(column, key);
}

}  // namespace registry::ledger
