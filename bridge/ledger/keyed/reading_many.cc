// Unique values, and what Verify alone asks: questions of many things at once.
#include <algorithm>

#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/keyed/reading.h"

namespace registry::ledger {
namespace {

// The device that holds a unique value; nullopt: nobody does.
Result<std::optional<DeviceId>> DecodeHolder(const Store::Stored& stored) {
  if (!stored) return std::optional<DeviceId>();
  DeviceId::Octets octets;
  if (stored->size() != octets.size())
    return Error::Make(Code::kFailed, kLedgerDamaged, "unique record: not a device id");
  std::copy(stored->begin(), stored->end(), octets.begin());
  return std::optional<DeviceId>(DeviceId::FromOctets(octets));
}

Error NoHistoryPlace(std::string_view key) {
  return Error::Make(Code::kFailed, kLedgerDamaged,
                     "a key of history_by_device has no such form: " + ToHex(AsBytes(key)));
}

}  // namespace

template <class Port>
Result<std::optional<DeviceId>> Reading<Port>::FindUnique(const domain::UniqueValue& value) const {
  const auto stored = store_->Get(Column::kUnique, keys::OfUnique(value));
  if (!stored) return stored.error();
  return DecodeHolder(*stored);
}

template <class Port>
Result<std::vector<std::optional<DeviceId>>> Reading<Port>::FindUniques(
    const std::vector<domain::UniqueValue>& values) const {
  std::vector<Store::Place> places;
  places.reserve(values.size());
  for (const auto& value : values) places.emplace_back(Column::kUnique, keys::OfUnique(value));
  const auto stored = store_->GetAll(places);
  if (!stored) return stored.error();
  std::vector<std::optional<DeviceId>> holders;
  holders.reserve(values.size());
  for (const auto& record : *stored) {
    const auto holder = DecodeHolder(record);
    if (!holder) return holder.error();
    holders.push_back(*holder);
  }
  return holders;
}

template <class Port>
Result<std::vector<std::optional<domain::EventMark>>> Reading<Port>::FindEvents(
    const std::vector<EventKey>& wanted) const {
  std::vector<Store::Place> places;
  places.reserve(wanted.size());
  for (const auto& [source, id] : wanted) places.emplace_back(Column::kEvents, keys::OfEvent(source, id));
  const auto stored = store_->GetAll(places);
  if (!stored) return stored.error();
  std::vector<std::optional<domain::EventMark>> marks;
  marks.reserve(wanted.size());
  for (const auto& record : *stored) {
    auto mark = record ? Decode<domain::EventMark>(*record) : Result<domain::EventMark>(domain::EventMark());
    if (!mark) return mark.error();
    marks.push_back(record ? std::optional(std::move(*mark)) : std::nullopt);
  }
  return marks;
}

template <class Port>
Result<std::vector<LedgerReader::HistoryPlace>> Reading<Port>::HistoryPlacesAfter(
    const std::optional<HistoryPlace>& after, std::size_t limit) const {
  std::vector<HistoryPlace> places;
  if (limit == 0) return places;
  const std::string from =
      after ? keys::Behind(keys::OfDeviceHistory(after->first, after->second)) : std::string();
  auto read = store_->Scan(
      Column::kHistoryByDevice, from, "",
      [&](std::string_view key, std::string_view) -> Result<bool> {
        const auto place = keys::HistoryPlaceOf(key);
        if (!place) return NoHistoryPlace(key);
        places.push_back(*place);
        return true;
      },
      limit);
  if (!read) return read.error();
  return places;
}

template class Reading<LedgerReader>;
template class Reading<Ledger>;

}  // namespace registry::ledger
