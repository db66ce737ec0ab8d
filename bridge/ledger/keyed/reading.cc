#include "bridge/ledger/keyed/reading.h"

#include <algorithm>

#include "bridge/ledger/keyed/day_marks.h"
#include "bridge/ledger/keyed/job_record.h"
#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/keyed/place_keys.h"
#include "bridge/ledger/keyed/places.h"

namespace registry::ledger {
namespace {

template <class T>
Result<std::optional<T>> LoadOne(const Store& store, Column column, const std::string& key) {
  const auto stored = store.Get(column, key);
  if (!stored) return stored.error();
  if (!*stored) return std::optional<T>();
  auto value = Decode<T>(**stored);
  if (!value) return value.error();
  return std::optional<T>(std::move(*value));
}

template <class T>
Result<std::vector<T>> LoadRange(const Store& store, Column column, const std::string& from,
                                 const std::string& to, std::size_t limit) {
  std::vector<T> values;
  if (limit == 0) return values;
  const auto take = [&](std::string_view, std::string_view record) -> Result<bool> {
    auto value = Decode<T>(record);
    if (!value) return value.error();
    values.push_back(std::move(*value));
    return true;
  };
  auto read = store.Scan(column, from, to, take, limit);
  if (!read) return read.error();
  return values;
}

std::string BehindDevice(const std::optional<DeviceId>& after) {
  return after ? keys::Behind(keys::OfDevice(*after)) : std::string();
}

Result<HistoryRecord> DecodeHistory(Seq seq, std::string_view stored) {
  if (stored.size() < kChainSize)
    return Error::Make(Code::kFailed, kLedgerDamaged, "history record: cut short");
  auto entry = Decode<domain::HistoryEntry>(stored.substr(kChainSize));
  if (!entry) {
    Error error = entry.error();
    error.message = "history " + std::to_string(seq) + ": " + error.message;
    return error;
  }
  return HistoryRecord{seq, std::move(*entry), AsBytes(stored.substr(0, kChainSize))};
}

Error Unindexed() {
  return Error::Make(
      Code::kFailed, kLedgerUnindexed,
      "this ledger was written before devices or event marks were indexed; registryd makes the "
      "index when it starts");
}

Error NoPlace(std::string_view key) {
  return Error::Make(Code::kFailed, kLedgerDamaged,
                     "a key of places has no place's form: " + ToHex(AsBytes(key)));
}

Error NoDayMark(std::string_view key) {
  return Error::Make(Code::kFailed, kLedgerDamaged,
                     "a key of day_marks has no such form: " + ToHex(AsBytes(key)));
}

// Whose it is, the key says.
Result<domain::DeviceBrief> DecodeBrief(std::string_view key, std::string_view record) {
  const auto id = keys::DeviceAtEnd(key);
  if (!id) return NoPlace(key);
  auto brief = Decode<domain::DeviceBrief>(record);
  if (brief) brief->id = *id;
  return brief;
}

Error Unread(Sink sink, Seq seq, Error why) {
  why.message = "entry " + std::to_string(seq) + " of outbox " + std::to_string(static_cast<int>(sink)) +
                ": " + why.message;
  return why;
}

}  // namespace

template <class Port>
Status Reading<Port>::LoadLive(const Store& from) {
  const WriteLock lock(live_.mutex);
  if (auto loaded = Load(from, live_); !loaded) return loaded;
  const auto has_places = HasPlaces(*store_);
  if (!has_places) return has_places.error();
  has_places_ = *has_places;
  const auto has_day_marks = HasDayMarks(*store_);
  if (!has_day_marks) return has_day_marks.error();
  has_day_marks_ = *has_day_marks;
  tail_.Reach(EndsOf(live_.head));
  return Done{};
}

template <class Port>
Result<std::optional<domain::Device>> Reading<Port>::LoadDevice(const DeviceId& id) const {
  WrittenDevices::Written written;
  {
    const ReadLock lock(live_.mutex);
    written = live_.devices.Find(id);
  }
  if (written) return std::optional(*written);
  return LoadOne<domain::Device>(*store_, Column::kDevices, keys::OfDevice(id));
}

template <class Port>
Result<std::optional<domain::EndpointRecord>> Reading<Port>::LoadEndpoint(const PartyId& asp,
                                                                          const EndpointName& name) const {
  return LoadOne<domain::EndpointRecord>(*store_, Column::kEndpoints, keys::OfEndpoint(asp, name));
}

template <class Port>
Result<std::optional<domain::Job>> Reading<Port>::LoadJob(const JobId& id) const {
  const auto stored = store_->Get(Column::kJobs, id.text());
  if (!stored) return stored.error();
  if (!*stored) return std::optional<domain::Job>();
  auto job = ReadJob(*store_, **stored);
  if (!job) return job.error();
  return std::optional(std::move(*job));
}

// Without the lock, which the committer needs: a job that went or moved meanwhile is seen as it is now.
// Piece by piece: a server gives each piece as one answer, which is all in memory.
template <class Port>
Result<std::vector<domain::Job>> Reading<Port>::JobsWith(
    const std::vector<JobId>& ids, const std::function<bool(const domain::Job&)>& keep) const {
  constexpr std::size_t kPiece = 1000;
  std::vector<domain::Job> jobs;
  jobs.reserve(ids.size());
  for (std::size_t from = 0; from < ids.size(); from += kPiece) {
    std::vector<Store::Place> places;
    for (std::size_t i = from; i < std::min(from + kPiece, ids.size()); ++i)
      places.emplace_back(Column::kJobs, ids[i].text());
    const auto records = store_->GetAll(places);
    if (!records) return records.error();
    for (const auto& record : *records) {
      if (!record) continue;
      auto job = ReadJob(*store_, *record);
      if (!job) return job.error();
      if (keep(*job)) jobs.push_back(std::move(*job));
    }
  }
  return jobs;
}

template <class Port>
Result<std::vector<domain::Job>> Reading<Port>::JobsOf(const DeviceId& device) const {
  std::vector<JobId> ids;
  {
    const ReadLock lock(live_.mutex);
    ids = live_.jobs.Of(device);
  }
  return JobsWith(ids, [&](const domain::Job& job) { return job.device() == device; });
}

template <class Port>
Result<std::vector<domain::Job>> Reading<Port>::JobsDue(DueTimes times, std::size_t limit) const {
  std::vector<JobId> ids;
  {
    const ReadLock lock(live_.mutex);
    ids = live_.jobs.Due(times, limit);
  }
  return JobsWith(ids, [&](const domain::Job& job) { return !job.unsent && times.Hold(job.due); });
}

template <class Port>
Result<std::vector<domain::Job>> Reading<Port>::JobsUnsent(const PartyId& mno, std::size_t limit) const {
  std::vector<JobId> ids;
  {
    const ReadLock lock(live_.mutex);
    ids = live_.jobs.Unsent(mno, limit);
  }
  return JobsWith(ids, [](const domain::Job& job) { return job.unsent; });
}

template <class Port>
Result<std::vector<LedgerReader::MnoLoad>> Reading<Port>::JobLoads() const {
  const ReadLock lock(live_.mutex);
  return live_.jobs.Loads();
}

template <class Port>
Result<domain::JobLoad> Reading<Port>::LoadOf(const PartyId& mno) const {
  const ReadLock lock(live_.mutex);
  return live_.jobs.LoadOf(mno);
}

template <class Port>
Result<std::optional<domain::EventMark>> Reading<Port>::FindEvent(const PartyId& source,
                                                                  const EventId& id) const {
  return LoadOne<domain::EventMark>(*store_, Column::kEvents, keys::OfEvent(source, id));
}

template <class Port>
Result<std::vector<OutboxEntry>> Reading<Port>::OutboxAfter(Sink sink, Seq after, std::size_t limit,
                                                            std::chrono::milliseconds wait) const {
  after =
      std::max(after, LoadSink(sink)->cursor);  // what lies before the cursor may be forgotten at any time
  const Seq last = tail_.WaitBehind(sink, after, wait);
  std::vector<OutboxEntry> entries;
  if (last <= after || limit == 0) return entries;
  auto read = store_->Scan(
      Column::kOutbox, keys::OfOutbox(sink, after + 1), keys::OfOutbox(sink, last + 1),
      [&](std::string_view key, std::string_view record) -> Result<bool> {
        auto item = DecodeItem(record);
        if (!item && !entries.empty()) return false;  // those before it can be carried
        if (!item) return Unread(sink, keys::SeqAtEnd(key), item.error());
        entries.push_back({keys::SeqAtEnd(key), std::move(*item)});
        return true;
      },
      limit);
  if (!read) return read.error();
  return entries;
}

template <class Port>
Result<Seq> Reading<Port>::OutboxLast(Sink sink) const {
  return tail_.Last(sink);
}

template <class Port>
Result<SinkState> Reading<Port>::LoadSink(Sink sink) const {
  const ReadLock lock(live_.mutex);
  return live_.sinks[IndexOf(sink)];
}

template <class Port>
Result<FeedState> Reading<Port>::LoadFeed(const PartyId& party) const {
  const ReadLock lock(live_.mutex);
  const auto feed = live_.feeds.find(party);
  return feed == live_.feeds.end() ? FeedState{} : feed->second;
}

template <class Port>
Result<std::vector<FeedItem>> Reading<Port>::FeedFrom(const PartyId& party, Seq from,
                                                      std::size_t limit) const {
  const FeedState state = *LoadFeed(party);
  from = std::max(from, state.acked + 1);
  if (from > state.last) return std::vector<FeedItem>{};
  return LoadRange<FeedItem>(*store_, Column::kFeed, keys::OfFeed(party, from),
                             keys::OfFeed(party, state.last + 1), limit);
}

template <class Port>
Result<std::vector<domain::Device>> Reading<Port>::DevicesAfter(const std::optional<DeviceId>& after,
                                                                std::size_t limit) const {
  return LoadRange<domain::Device>(*store_, Column::kDevices, BehindDevice(after), "", limit);
}

// An iterator sees one moment.
template <class Port>
Result<std::vector<domain::DeviceBrief>> Reading<Port>::DevicesIn(
    const domain::DeviceGroup& group, const std::optional<domain::DevicePosition>& after,
    std::optional<UtcTime> before, std::size_t limit) const {
  if (!has_places_) return Unindexed();
  const auto range = keys::OfGroup(group, after, before);
  std::vector<domain::DeviceBrief> devices;
  if (limit == 0 || range.first >= range.end) return devices;
  auto read = store_->Scan(
      Column::kPlaces, range.first, range.end,
      [&](std::string_view key, std::string_view record) -> Result<bool> {
        auto brief = DecodeBrief(key, record);
        if (!brief) return brief.error();
        devices.push_back(std::move(*brief));
        return true;
      },
      limit);
  if (!read) return read.error();
  return devices;
}

template <class Port>
Result<std::vector<LedgerReader::Placed>> Reading<Port>::PlacesAfter(
    const std::optional<domain::DevicePlace>& after, std::size_t limit) const {
  if (!has_places_) return Unindexed();
  std::vector<LedgerReader::Placed> places;
  if (limit == 0) return places;
  const std::string from = after ? keys::Behind(keys::OfPlace(*after)) : std::string();
  auto read = store_->Scan(
      Column::kPlaces, from, "",
      [&](std::string_view key, std::string_view record) -> Result<bool> {
        auto place = keys::PlaceOf(key);
        auto brief = DecodeBrief(key, record);
        if (!brief) return brief.error();
        if (!place) return NoPlace(key);
        places.emplace_back(std::move(*place), std::move(*brief));
        return true;
      },
      limit);
  if (!read) return read.error();
  return places;
}

template <class Port>
Result<std::vector<HistoryRecord>> Reading<Port>::HistoryAfter(Seq after, std::size_t limit) const {
  std::vector<HistoryRecord> records;
  if (limit == 0) return records;
  auto read = store_->Scan(
      Column::kHistory, keys::OfSeq(after + 1), "",
      [&](std::string_view key, std::string_view stored) -> Result<bool> {
        auto record = DecodeHistory(keys::SeqAtEnd(key), stored);
        if (!record) return record.error();
        records.push_back(std::move(*record));
        return true;
      },
      limit);
  if (!read) return read.error();
  return records;
}

template <class Port>
Result<std::vector<HistoryRecord>> Reading<Port>::HistoryOf(const DeviceId& device) const {
  std::vector<Store::Place> places;
  auto read = store_->Scan(Column::kHistoryByDevice, keys::OfDeviceHistory(device, 0),
                           keys::Behind(keys::OfDeviceHistory(device, ~Seq{0})),
                           [&](std::string_view key, std::string_view) -> Result<bool> {
                             places.emplace_back(Column::kHistory, keys::OfSeq(keys::SeqAtEnd(key)));
                             return true;
                           });
  if (!read) return read.error();
  std::vector<HistoryRecord> records;
  const auto stored = store_->GetAll(places);
  if (!stored) return stored.error();
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Seq seq = keys::SeqAtEnd(places[i].second);
    if (!(*stored)[i])
      return Error::Make(Code::kFailed, kLedgerDamaged, "history " + std::to_string(seq) + " is gone");
    auto record = DecodeHistory(seq, *(*stored)[i]);
    if (!record) return record.error();
    records.push_back(std::move(*record));
  }
  return records;
}

template <class Port>
Result<std::vector<domain::ZoneChange>> Reading<Port>::ZoneAfter(const std::optional<DeviceId>& after,
                                                                 std::size_t limit) const {
  return LoadRange<domain::ZoneChange>(*store_, Column::kZone, BehindDevice(after), "", limit);
}

template <class Port>
Result<std::vector<domain::Revocation>> Reading<Port>::Revocations() const {
  return LoadRange<domain::Revocation>(*store_, Column::kRevocations, "", "", ~std::size_t{0});
}

template <class Port>
Result<std::vector<std::pair<Seq, domain::DeadLetter>>> Reading<Port>::DeadLettersAfter(
    Seq after, std::size_t limit) const {
  std::vector<std::pair<Seq, domain::DeadLetter>> letters;
  if (limit == 0) return letters;
  auto read = store_->Scan(
      Column::kDeadLetters, keys::OfSeq(after + 1), "",
      [&](std::string_view key, std::string_view record) -> Result<bool> {
        auto letter = Decode<domain::DeadLetter>(record);
        if (!letter) return letter.error();
        letters.emplace_back(keys::SeqAtEnd(key), std::move(*letter));
        return true;
      },
      limit);
  if (!read) return read.error();
  return letters;
}

template <class Port>
Result<std::vector<domain::EventMark>> Reading<Port>::EventsAfter(const std::optional<EventKey>& after,
                                                                  std::size_t limit) const {
  const std::string from = after ? keys::Behind(keys::OfEvent(after->first, after->second)) : std::string();
  return LoadRange<domain::EventMark>(*store_, Column::kEvents, from, "", limit);
}

template <class Port>
Result<std::vector<domain::DayMark>> Reading<Port>::DayMarksAfter(const std::optional<domain::DayMark>& after,
                                                                  std::size_t limit) const {
  if (!has_day_marks_) return Unindexed();
  std::vector<domain::DayMark> marks;
  if (limit == 0) return marks;
  const std::string from = after ? keys::Behind(keys::OfDayMark(*after)) : std::string();
  auto read = store_->Scan(
      Column::kDayMarks, from, "",
      [&](std::string_view key, std::string_view) -> Result<bool> {
        auto mark = keys::DayMarkOf(key);
        if (!mark) return NoDayMark(key);
        marks.push_back(std::move(*mark));
        return true;
      },
      limit);
  if (!read) return read.error();
  return marks;
}

template <class Port>
Result<MarksKept> Reading<Port>::LoadMarksKept() const {
  const ReadLock lock(live_.mutex);
  return live_.head.marks;
}

template <class Port>
Result<std::vector<domain::EndpointRecord>> Reading<Port>::EndpointsAfter(
    const std::optional<EndpointKey>& after, std::size_t limit) const {
  const std::string from = after ? keys::Behind(keys::OfEndpoint(after->asp, after->name)) : std::string();
  return LoadRange<domain::EndpointRecord>(*store_, Column::kEndpoints, from, "", limit);
}

template <class Port>
Result<std::optional<domain::Order>> Reading<Port>::LoadOrder(const OrderId& id) const {
  if (!store_->Has(Column::kOrders)) return std::optional<domain::Order>();
  return LoadOne<domain::Order>(*store_, Column::kOrders, keys::OfOrder(id));
}

template <class Port>
Result<std::vector<domain::Order>> Reading<Port>::OrdersOf(const std::optional<PartyId>& owner) const {
  if (!store_->Has(Column::kOrders)) return std::vector<domain::Order>{};
  auto orders = LoadRange<domain::Order>(*store_, Column::kOrders, "", keys::kBehindOrders, ~std::size_t{0});
  if (orders && owner) {
    std::erase_if(*orders, [&](const domain::Order& order) { return order.owner != *owner; });
  }
  return orders;
}

template <class Port>
Result<std::vector<domain::OrderItem>> Reading<Port>::OrderItemsAfter(const OrderId& order,
                                                                      std::uint64_t after,
                                                                      std::size_t limit) const {
  if (!store_->Has(Column::kOrders)) return std::vector<domain::OrderItem>{};
  return LoadRange<domain::OrderItem>(*store_, Column::kOrders, keys::OfOrderItem(order, after + 1),
                                      keys::OfOrderItem(order, ~std::uint64_t{0}), limit);
}

template class Reading<LedgerReader>;
template class Reading<Ledger>;

}  // namespace registry::ledger
