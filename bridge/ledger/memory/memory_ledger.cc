// The memory backend: the port's meaning written down as plainly as possible, for tests and as the measure of
// the other. One mutex; a commit checks everything first and then cannot fail.
#include <algorithm>
#include <atomic>
#include <map>
#include <set>

#include "bridge/ledger/job_table.h"
#include "bridge/ledger/ledger.h"
#include "bridge/ledger/outbox_tail.h"
#include "bridge/ledger/record_codec.h"
#include "schemas/base/mutex.h"

namespace registry::ledger {
namespace {

using domain::Changeset;
using UniqueKey = std::pair<domain::UniqueKind, Bytes>;

UniqueKey KeyOf(const domain::UniqueValue& unique) { return {unique.kind, unique.value}; }
Error Stale(std::string_view what) {
  return Error::Make(Code::kFailed, kStale, std::string(what) + " moved since it was read");
}

template <class Map, class Key>
auto Find(const Map& map, const Key& key) -> std::optional<typename Map::mapped_type> {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

template <class T, class Map, class Key>
std::vector<T> ValuesAfter(const Map& map, const std::optional<Key>& after, std::size_t limit) {
  std::vector<T> values;
  for (auto it = after ? map.upper_bound(*after) : map.begin(); it != map.end() && values.size() < limit;
       ++it) {
    values.push_back(it->second);
  }
  return values;
}

struct Feed {
  FeedState state;
  std::map<Seq, FeedItem> items;
};
struct Outbox {
  SinkState state;
  std::map<Seq, OutboxEntry> entries;
};

class MemoryLedger final : public Ledger {
 public:
  void CommitLater(Changeset changeset, WhenDone done) override;
  Status Advance(Sink sink, const SinkState& state, bool durable) override;
  std::uint64_t changesets() const override { return changesets_; }
  void WakeAll() override { tail_.WakeAll(); }

  Result<std::optional<domain::EventMark>> FindEvent(const PartyId& source,
                                                     const EventId& id) const override {
    const MutexLock lock(mutex_);
    return Find(marks_, std::pair(source, id));
  }
  Result<std::optional<domain::Device>> LoadDevice(const DeviceId& id) const override {
    const MutexLock lock(mutex_);
    return Find(devices_, id);
  }
  Result<std::optional<DeviceId>> FindUnique(const domain::UniqueValue& value) const override {
    const MutexLock lock(mutex_);
    return Find(unique_, KeyOf(value));
  }
  Result<std::optional<domain::EndpointRecord>> LoadEndpoint(const PartyId& asp,
                                                             const EndpointName& name) const override {
    const MutexLock lock(mutex_);
    return Find(endpoints_, EndpointKey{asp, name});
  }
  Result<std::optional<domain::Job>> LoadJob(const JobId& id) const override {
    const MutexLock lock(mutex_);
    return Find(jobs_, id);
  }
  Result<std::vector<domain::Job>> JobsOf(const DeviceId& device) const override {
    const MutexLock lock(mutex_);
    return JobsWith(job_table_.Of(device));
  }
  Result<std::vector<domain::Job>> JobsDue(DueTimes times, std::size_t limit) const override {
    const MutexLock lock(mutex_);
    return JobsWith(job_table_.Due(times, limit));
  }
  Result<std::vector<domain::Job>> JobsUnsent(const PartyId& mno, std::size_t limit) const override {
    const MutexLock lock(mutex_);
    return JobsWith(job_table_.Unsent(mno, limit));
  }
  Result<std::vector<MnoLoad>> JobLoads() const override {
    const MutexLock lock(mutex_);
    return job_table_.Loads();
  }
  Result<domain::JobLoad> LoadOf(const PartyId& mno) const override {
    const MutexLock lock(mutex_);
    return job_table_.LoadOf(mno);
  }
  Result<std::optional<domain::Order>> LoadOrder(const OrderId& id) const override {
    const MutexLock lock(mutex_);
    return Find(orders_, id);
  }
  Result<std::vector<domain::Order>> OrdersOf(const std::optional<PartyId>& owner) const override {
    const MutexLock lock(mutex_);
    std::vector<domain::Order> orders;
    for (const auto& [id, order] : orders_) {
      if (!owner || order.owner == *owner) orders.push_back(order);
    }
    return orders;
  }
  Result<std::vector<domain::OrderItem>> OrderItemsAfter(const OrderId& order, std::uint64_t after,
                                                         std::size_t limit) const override {
    const MutexLock lock(mutex_);
    const auto items = order_items_.find(order);
    if (items == order_items_.end()) return std::vector<domain::OrderItem>{};
    return ValuesAfter<domain::OrderItem>(items->second, std::optional(after), limit);
  }
  Result<std::vector<OutboxEntry>> OutboxAfter(Sink sink, Seq after, std::size_t limit,
                                               std::chrono::milliseconds wait) const override {
    after = std::max(after, (*LoadSink(sink)).cursor);
    tail_.WaitBehind(sink, after, wait);
    const MutexLock lock(mutex_);
    return ValuesAfter<OutboxEntry>(outboxes_[IndexOf(sink)].entries, std::optional(after), limit);
  }
  Result<Seq> OutboxLast(Sink sink) const override { return tail_.Last(sink); }
  Result<SinkState> LoadSink(Sink sink) const override {
    const MutexLock lock(mutex_);
    return outboxes_[IndexOf(sink)].state;
  }
  Result<FeedState> LoadFeed(const PartyId& party) const override {
    const MutexLock lock(mutex_);
    const auto feed = feeds_.find(party);
    return feed == feeds_.end() ? FeedState{} : feed->second.state;
  }
  Result<std::vector<FeedItem>> FeedFrom(const PartyId& party, Seq from, std::size_t limit) const override {
    const MutexLock lock(mutex_);
    const auto feed = feeds_.find(party);
    if (feed == feeds_.end()) return std::vector<FeedItem>{};
    return ValuesAfter<FeedItem>(feed->second.items, std::optional(from == 0 ? 0 : from - 1), limit);
  }
  Result<std::vector<domain::Device>> DevicesAfter(const std::optional<DeviceId>& after,
                                                   std::size_t limit) const override {
    const MutexLock lock(mutex_);
    return ValuesAfter<domain::Device>(devices_, after, limit);
  }
  Result<std::vector<domain::DeviceBrief>> DevicesIn(const domain::DeviceGroup& group,
                                                     const std::optional<domain::DevicePosition>& after,
                                                     std::optional<UtcTime> before,
                                                     std::size_t limit) const override {
    const MutexLock lock(mutex_);
    std::vector<domain::DeviceBrief> devices;
    auto it = after ? places_.upper_bound({group, *after}) : places_.lower_bound({group, {{INT64_MIN}, {}}});
    for (; it != places_.end() && it->group == group && devices.size() < limit; ++it) {
      if (before && it->position.expires >= *before) break;
      devices.push_back(domain::BriefOf(devices_.at(it->position.device)));
    }
    return devices;
  }
  Result<std::vector<Placed>> PlacesAfter(const std::optional<domain::DevicePlace>& after,
                                          std::size_t limit) const override {
    const MutexLock lock(mutex_);
    std::vector<Placed> places;
    for (auto it = after ? places_.upper_bound(*after) : places_.begin();
         it != places_.end() && places.size() < limit; ++it) {
      places.emplace_back(*it, domain::BriefOf(devices_.at(it->position.device)));
    }
    return places;
  }
  Result<std::vector<HistoryRecord>> HistoryAfter(Seq after, std::size_t limit) const override {
    const MutexLock lock(mutex_);
    const std::size_t from = std::min<std::size_t>(after, history_.size());
    const std::size_t to = from + std::min(limit, history_.size() - from);
    return std::vector(history_.begin() + static_cast<std::ptrdiff_t>(from),
                       history_.begin() + static_cast<std::ptrdiff_t>(to));
  }
  Result<std::vector<HistoryRecord>> HistoryOf(const DeviceId& device) const override {
    const MutexLock lock(mutex_);
    std::vector<HistoryRecord> records;
    std::copy_if(history_.begin(), history_.end(), std::back_inserter(records),
                 [&](const HistoryRecord& record) { return record.entry.device == device; });
    return records;
  }
  Result<std::vector<HistoryPlace>> HistoryPlacesAfter(const std::optional<HistoryPlace>& after,
                                                       std::size_t limit) const override {
    const MutexLock lock(mutex_);
    std::vector<HistoryPlace> places;
    for (const HistoryRecord& record : history_) {
      HistoryPlace place(record.entry.device, record.seq);
      if (!after || place > *after) places.push_back(std::move(place));
    }
    std::sort(places.begin(), places.end());
    places.resize(std::min(places.size(), limit));
    return places;
  }
  Result<std::vector<domain::ZoneChange>> ZoneAfter(const std::optional<DeviceId>& after,
                                                    std::size_t limit) const override {
    const MutexLock lock(mutex_);
    return ValuesAfter<domain::ZoneChange>(zone_, after, limit);
  }
  Result<std::vector<domain::Revocation>> Revocations() const override {
    const MutexLock lock(mutex_);
    return ValuesAfter<domain::Revocation>(revocations_, std::optional<Bytes>(), revocations_.size());
  }
  Result<std::vector<std::pair<Seq, domain::DeadLetter>>> DeadLettersAfter(Seq after,
                                                                           std::size_t limit) const override {
    const MutexLock lock(mutex_);
    std::vector<std::pair<Seq, domain::DeadLetter>> letters;
    for (auto it = dead_letters_.upper_bound(after); it != dead_letters_.end() && letters.size() < limit;
         ++it) {
      letters.push_back(*it);
    }
    return letters;
  }
  Result<std::vector<domain::EventMark>> EventsAfter(const std::optional<EventKey>& after,
                                                     std::size_t limit) const override {
    const MutexLock lock(mutex_);
    return ValuesAfter<domain::EventMark>(marks_, after, limit);
  }
  Result<std::vector<domain::DayMark>> DayMarksAfter(const std::optional<domain::DayMark>& after,
                                                     std::size_t limit) const override {
    const MutexLock lock(mutex_);
    std::vector<domain::DayMark> marks;
    auto it = after ? day_marks_.upper_bound(*after) : day_marks_.begin();
    for (; it != day_marks_.end() && marks.size() < limit; ++it) marks.push_back(*it);
    return marks;
  }
  Result<MarksKept> LoadMarksKept() const override {
    const MutexLock lock(mutex_);
    return marks_kept_;
  }
  Result<std::vector<domain::EndpointRecord>> EndpointsAfter(const std::optional<EndpointKey>& after,
                                                             std::size_t limit) const override {
    const MutexLock lock(mutex_);
    return ValuesAfter<domain::EndpointRecord>(endpoints_, after, limit);
  }

 private:
  std::vector<domain::Job> JobsWith(const std::vector<JobId>& ids) const REQUIRES(mutex_) {
    std::vector<domain::Job> jobs;
    jobs.reserve(ids.size());
    for (const JobId& id : ids) jobs.push_back(jobs_.at(id));
    return jobs;
  }
  Status Apply(Changeset changeset);
  Status CheckRecords(const Changeset& changeset) const REQUIRES(mutex_);
  Status CheckEndpoints(const Changeset& changeset) const REQUIRES(mutex_);
  Status CheckForgotten(const Changeset& changeset) const REQUIRES(mutex_);
  Status CheckClaims(const Changeset& changeset) const REQUIRES(mutex_);
  Status CheckBounds(const Changeset& changeset) const REQUIRES(mutex_);
  void ApplyMark(const domain::EventMark& mark) REQUIRES(mutex_);
  void ApplyForgotten(const Changeset& changeset) REQUIRES(mutex_);
  void ApplyRecords(Changeset& changeset) REQUIRES(mutex_);
  void ApplyDevice(domain::Device device) REQUIRES(mutex_);
  void ApplyOrders(Changeset& changeset) REQUIRES(mutex_);
  void ApplyLog(Changeset& changeset) REQUIRES(mutex_);
  void ApplyFeeds(Changeset& changeset) REQUIRES(mutex_);
  void Push(Sink sink, decltype(OutboxEntry::item) item) REQUIRES(mutex_);

  Mutex order_mutex_;  // over a commit and its answer
  mutable Mutex mutex_;
  OutboxTail tail_;
  OutboxTail::Ends ends_ GUARDED_BY(mutex_){};
  std::atomic<std::uint64_t> changesets_{0};
  std::map<std::pair<PartyId, EventId>, domain::EventMark> marks_ GUARDED_BY(mutex_);
  std::set<domain::DayMark> day_marks_ GUARDED_BY(mutex_);
  MarksKept marks_kept_ GUARDED_BY(mutex_);
  std::map<DeviceId, domain::Device> devices_ GUARDED_BY(mutex_);
  std::set<domain::DevicePlace> places_ GUARDED_BY(mutex_);
  std::map<EndpointKey, domain::EndpointRecord> endpoints_ GUARDED_BY(mutex_);
  std::map<UniqueKey, DeviceId> unique_ GUARDED_BY(mutex_);
  std::map<OrderId, domain::Order> orders_ GUARDED_BY(mutex_);
  std::map<OrderId, std::map<std::uint64_t, domain::OrderItem>> order_items_ GUARDED_BY(mutex_);
  std::map<JobId, domain::Job> jobs_ GUARDED_BY(mutex_);
  JobTable job_table_ GUARDED_BY(mutex_);
  std::vector<HistoryRecord> history_ GUARDED_BY(mutex_);
  std::array<Outbox, kAllSinks.size()> outboxes_ GUARDED_BY(mutex_);
  std::map<PartyId, Feed> feeds_ GUARDED_BY(mutex_);
  std::map<DeviceId, domain::ZoneChange> zone_ GUARDED_BY(mutex_);
  std::map<Bytes, domain::Revocation> revocations_ GUARDED_BY(mutex_);
  std::map<Seq, domain::DeadLetter> dead_letters_ GUARDED_BY(mutex_);
  Seq dead_letters_last_ GUARDED_BY(mutex_) = 0;
};

Status MemoryLedger::CheckRecords(const Changeset& changeset) const {
  if (changeset.mark && marks_.contains({changeset.mark->source, changeset.mark->id})) {
    return Error::Make(Code::kExists, kEventKnown, "an event of this source and id was admitted before");
  }
  std::map<DeviceId, Seq> devices;
  for (const auto& put : changeset.devices) {
    const auto stored = Find(devices_, put.device.id);
    const auto [now, first] = devices.emplace(put.device.id, stored ? stored->version : 0);
    if (now->second++ != put.expected_version) return Stale("device");
  }
  std::map<EndpointKey, Seq> endpoints;
  for (const auto& put : changeset.endpoints) {
    const EndpointKey key{put.endpoint.asp, put.endpoint.endpoint.name};
    const auto stored = Find(endpoints_, key);
    const auto [now, first] = endpoints.emplace(key, stored ? stored->version : 0);
    if (now->second++ != put.expected_version) return Stale("endpoint");
  }
  if (auto sound = CheckEndpoints(changeset); !sound) return sound;
  for (const auto& put : changeset.orders) {
    const auto stored = Find(orders_, put.order.id);
    if ((stored ? stored->version : 0) != put.expected_version) return Stale("order");
  }
  return Done{};
}

Status MemoryLedger::CheckEndpoints(const Changeset& changeset) const {
  const auto moved = [this](const EndpointKey& key, Seq version) REQUIRES(mutex_) {
    const auto stored = Find(endpoints_, key);
    return (stored ? stored->version : 0) != version;
  };
  for (const auto& seen : changeset.endpoints_seen) {
    if (moved(seen.endpoint, seen.version)) return Stale("endpoint");
  }
  for (const auto& erase : changeset.endpoints_erase) {
    if (moved(erase.endpoint, erase.expected_version)) return Stale("endpoint");
    const auto group = domain::DeviceGroup::At(erase.endpoint.asp, erase.endpoint.name);
    const auto bound = places_.lower_bound({group, {{INT64_MIN}, {}}});
    if (bound != places_.end() && bound->group == group) return Stale("what is bound to an endpoint");
  }
  return Done{};
}

// Releases come first, so that one changeset may hand a value from one device to another.
Status MemoryLedger::CheckClaims(const Changeset& changeset) const {
  std::map<UniqueKey, std::optional<DeviceId>> holders;
  for (const auto& release : changeset.releases) holders[KeyOf(release)] = std::nullopt;
  for (const auto& [value, device] : changeset.claims) {
    const UniqueKey key = KeyOf(value);
    const auto [holder, first] = holders.emplace(key, Find(unique_, key));
    if (holder->second && *holder->second != device) return Stale("unique value");
    holder->second = device;
  }
  return Done{};
}

Status MemoryLedger::CheckBounds(const Changeset& changeset) const {
  const auto open = [this](const PartyId& mno) REQUIRES(mutex_) { return job_table_.LoadOf(mno).open; };
  const auto find = [this](const JobId& id) REQUIRES(mutex_) { return job_table_.Find(id); };
  if (KeepsBounds(JobChangesOf(changeset), open, find)) return Done{};
  return Stale("what an MNO has open");
}

Status MemoryLedger::CheckForgotten(const Changeset& changeset) const {
  const bool kept =
      std::any_of(changeset.marks_erase.begin(), changeset.marks_erase.end(),
                  [this](const auto& mark) REQUIRES(mutex_) { return mark.day >= marks_kept_.from; });
  return kept ? Status(Stale("an event mark's day")) : Done{};
}

void MemoryLedger::ApplyMark(const domain::EventMark& mark) {
  marks_.emplace(std::pair(mark.source, mark.id), mark);
  day_marks_.insert({std::max(domain::DayOf(mark.at), marks_kept_.from), mark.source, mark.id});
}

void MemoryLedger::ApplyForgotten(const Changeset& changeset) {
  if (changeset.marks_from) marks_kept_.from = std::max(marks_kept_.from, *changeset.marks_from);
  for (const auto& mark : changeset.marks_erase) {
    marks_.erase({mark.source, mark.id});
    marks_kept_.forgotten += day_marks_.erase(mark);
  }
  for (const auto& serial : changeset.revocations_erase) revocations_.erase(serial);
}

void MemoryLedger::ApplyRecords(Changeset& changeset) {
  if (changeset.mark) ApplyMark(*changeset.mark);
  for (auto& put : changeset.devices) {
    put.device.version = put.expected_version + 1;
    ApplyDevice(put.device);
  }
  for (const auto& erase : changeset.endpoints_erase) endpoints_.erase(erase.endpoint);
  for (auto& put : changeset.endpoints) {
    put.endpoint.version = put.expected_version + 1;
    endpoints_[{put.endpoint.asp, put.endpoint.endpoint.name}] = put.endpoint;
  }
  for (const auto& release : changeset.releases) unique_.erase(KeyOf(release));
  for (const auto& [value, device] : changeset.claims) unique_[KeyOf(value)] = device;
  for (const auto& id : changeset.jobs_erase) {
    jobs_.erase(id);
    job_table_.Erase(id);
  }
  for (auto& job : changeset.jobs_put) {
    job_table_.Put(job.id, JobTable::EntryOf(job));
    jobs_.insert_or_assign(job.id, std::move(job));
  }
}

void MemoryLedger::ApplyDevice(domain::Device device) {
  if (const auto before = devices_.find(device.id); before != devices_.end()) {
    for (const auto& place : domain::PlacesOf(before->second)) places_.erase(place);
  }
  for (auto& place : domain::PlacesOf(device)) places_.insert(std::move(place));
  devices_.insert_or_assign(device.id, std::move(device));
}

void MemoryLedger::ApplyOrders(Changeset& changeset) {
  for (const OrderId& id : changeset.orders_erase) {
    orders_.erase(id);
    order_items_.erase(id);
  }
  for (auto& put : changeset.orders) {
    put.order.version = put.expected_version + 1;
    orders_.insert_or_assign(put.order.id, put.order);
  }
  for (auto& item : changeset.order_items) order_items_[item.order].insert_or_assign(item.number, item);
}

void MemoryLedger::ApplyLog(Changeset& changeset) {
  for (auto& entry : changeset.history) {
    const Bytes previous = history_.empty() ? Bytes{} : history_.back().hash;
    Bytes hash = ChainHash(previous, Encode(entry));
    history_.push_back({history_.size() + 1, std::move(entry), std::move(hash)});
  }
  for (auto& letter : changeset.dead_letters) dead_letters_.emplace(++dead_letters_last_, std::move(letter));
  while (dead_letters_.size() > kDeadLettersKept) dead_letters_.erase(dead_letters_.begin());
  for (auto& message : changeset.messages) Push(Sink::kMqtt, std::move(message));
  for (auto& change : changeset.zone) {
    if (change.tlsa.empty() && change.note.empty()) {
      zone_.erase(change.device);
    } else {
      zone_[change.device] = change;
    }
    Push(Sink::kZone, std::move(change));
  }
  for (auto& revocation : changeset.revocations) {
    revocations_[revocation.serial] = revocation;
    Push(Sink::kCrl, std::move(revocation));
  }
}

void MemoryLedger::ApplyFeeds(Changeset& changeset) {
  for (const auto& ack : changeset.feed_acks) {
    Feed& feed = feeds_[ack.party];
    feed.state.acked = std::max(feed.state.acked, std::min(ack.seq, feed.state.last));
    feed.items.erase(feed.items.begin(), feed.items.upper_bound(feed.state.acked));
  }
  for (auto& notification : changeset.notifications) {
    Feed& feed = feeds_[notification.to];
    const FeedItem item{++feed.state.last, std::move(notification)};
    feed.items.emplace(item.seq, item);
    Push(Sink::kMqtt, item);
  }
}

void MemoryLedger::Push(Sink sink, decltype(OutboxEntry::item) item) {
  const Seq seq = ++ends_[IndexOf(sink)];
  outboxes_[IndexOf(sink)].entries.emplace(seq, OutboxEntry{seq, std::move(item)});
}

void MemoryLedger::CommitLater(Changeset changeset, WhenDone done) {
  const MutexLock lock(order_mutex_);
  done(Apply(std::move(changeset)));
}

Status MemoryLedger::Apply(Changeset changeset) {
  const MutexLock lock(mutex_);
  if (auto sound = CheckRecords(changeset); !sound) return sound;
  if (auto sound = CheckClaims(changeset); !sound) return sound;
  if (auto sound = CheckBounds(changeset); !sound) return sound;
  if (auto sound = CheckForgotten(changeset); !sound) return sound;
  ApplyForgotten(changeset);
  ApplyRecords(changeset);
  ApplyOrders(changeset);
  ApplyLog(changeset);
  ApplyFeeds(changeset);
  ++changesets_;
  tail_.Reach(ends_);
  return Done{};
}

Status MemoryLedger::Advance(Sink sink, const SinkState& state, bool) {
  const MutexLock lock(mutex_);
  Outbox& outbox = outboxes_[IndexOf(sink)];
  if (state.cursor < outbox.state.cursor) return Done{};
  outbox.state = {std::min(state.cursor, ends_[IndexOf(sink)]), state.state};
  outbox.entries.erase(outbox.entries.begin(), outbox.entries.upper_bound(state.cursor));
  return Done{};
}

}  // namespace

std::unique_ptr<Ledger> OpenMemoryLedger() { return std::make_unique<MemoryLedger>(); }

}  // namespace registry::ledger
