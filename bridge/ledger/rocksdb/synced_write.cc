#include "bridge/ledger/rocksdb/synced_write.h"

#include <algorithm>

#include "bridge/ledger/rocksdb/keys.h"

namespace registry::ledger {
namespace {

// Forgotten records that may pile up before their range is deleted.
constexpr Seq kTrimEvery = 4096;

Error Stale(std::string_view what) {
  return Error::Make(Code::kFailed, kStale, std::string(what) + " moved since it was read");
}

std::string_view NameOf(Column column) {
  return column == Column::kDevices ? "device" : column == Column::kOrders ? "order" : "endpoint";
}

std::string InColumn(Column column, const std::string& key) { return static_cast<char>(column) + key; }

}  // namespace

SyncedWrite::SyncedWrite(const Store& store, const Live& live, Trimmed& trimmed)
    : store_(store), live_(live), trimmed_(trimmed), places_(store) {
  live.ReadByItsWriter();
  head_ = live.head;
}

Status SyncedWrite::Add(domain::Changeset& changeset) {
  Versions versions;
  Holders holders;
  PlaceChanges::Records devices;
  if (auto sound = Check(changeset, versions, holders, devices); !sound) return sound;
  auto places = places_.Before(changeset, devices);
  if (!places) return places.error();
  for (auto& [key, version] : versions) versions_[key] = version;
  for (auto& [key, holder] : holders) holders_[key] = std::move(holder);
  StageForgotten(changeset);
  StageRecords(changeset, *places);
  StageJobs(changeset);
  StageOrders(changeset);
  StageLog(changeset);
  StageOutbox(changeset);
  StageFeeds(changeset);
  return Done{};
}

Status SyncedWrite::Check(const domain::Changeset& changeset, Versions& versions, Holders& holders,
                          PlaceChanges::Records& devices) const {
  if (auto sound = CheckMark(changeset); !sound) return sound;
  for (const auto& put : changeset.devices) {
    auto sound = CheckVersion(Column::kDevices, keys::OfDevice(put.device.id), put.expected_version, versions,
                              &devices);
    if (!sound) return sound;
  }
  for (const auto& put : changeset.endpoints) {
    auto sound =
        CheckVersion(Column::kEndpoints, keys::OfEndpoint(put.endpoint.asp, put.endpoint.endpoint.name),
                     put.expected_version, versions);
    if (!sound) return sound;
  }
  for (const auto& put : changeset.orders) {
    auto sound = CheckVersion(Column::kOrders, keys::OfOrder(put.order.id), put.expected_version, versions);
    if (!sound) return sound;
  }
  if (auto sound = CheckClaims(changeset, holders); !sound) return sound;
  if (auto sound = CheckForgotten(changeset); !sound) return sound;
  return CheckBounds(changeset);
}

Status SyncedWrite::CheckMark(const domain::Changeset& changeset) const {
  if (!changeset.mark) return Done{};
  const std::string key = keys::OfEvent(changeset.mark->source, changeset.mark->id);
  bool known = marks_.contains(key);
  if (!known) {
    const auto stored = store_.Get(Column::kEvents, key);
    if (!stored) return stored.error();
    known = stored->has_value();
  }
  if (known)
    return Error::Make(Code::kExists, kEventKnown, "an event of this source and id was admitted before");
  return Done{};
}

Status SyncedWrite::CheckVersion(Column column, const std::string& key, std::uint64_t expected,
                                 Versions& versions, PlaceChanges::Records* read) const {
  const std::string name = InColumn(column, key);
  std::uint64_t version = 0;
  if (const auto now = versions.find(name); now != versions.end()) {
    version = now->second;
  } else if (const auto staged = versions_.find(name); staged != versions_.end()) {
    version = staged->second;
  } else {
    auto stored = store_.Get(column, key);
    if (!stored) return stored.error();
    if (*stored) {
      const auto peeked = PeekVersion(**stored);
      if (!peeked) return Error::Make(Code::kFailed, kLedgerDamaged, "a stored record has no version");
      version = *peeked;
      if (read != nullptr) read->emplace(key, std::move(**stored));
    }
  }
  if (version != expected) return Stale(NameOf(column));
  versions[name] = version + 1;
  return Done{};
}

// Releases come first, so that one changeset may hand a value from one device to another.
Status SyncedWrite::CheckClaims(const domain::Changeset& changeset, Holders& holders) const {
  for (const auto& release : changeset.releases) holders[keys::OfUnique(release)] = std::nullopt;
  for (const auto& [value, device] : changeset.claims) {
    const std::string key = keys::OfUnique(value);
    if (!holders.contains(key)) {
      auto holder = HolderOf(key);
      if (!holder) return holder.error();
      holders[key] = std::move(*holder);
    }
    auto& holder = holders[key];
    const std::string claimant = keys::OfDevice(device);
    if (holder && *holder != claimant) return Stale("unique value");
    holder = claimant;
  }
  return Done{};
}

Result<std::optional<std::string>> SyncedWrite::HolderOf(const std::string& key) const {
  if (const auto staged = holders_.find(key); staged != holders_.end()) return staged->second;
  return store_.Get(Column::kUnique, key);
}

Status SyncedWrite::CheckBounds(const domain::Changeset& changeset) const {
  const auto open = [this](const PartyId& mno) {
    live_.ReadByItsWriter();
    const auto staged = opened_.find(mno);
    const auto more = staged == opened_.end() ? 0 : staged->second;
    return static_cast<std::size_t>(static_cast<std::int64_t>(live_.jobs.LoadOf(mno).open) + more);
  };
  if (KeepsBounds(changeset, open, [this](const JobId& id) { return FindJob(id); })) return Done{};
  return Stale("what an MNO has open");
}

// Held against what was published, not against this batch: no mark of such a day is staged, so whoever has read which
// marks there are has read them all.
Status SyncedWrite::CheckForgotten(const domain::Changeset& changeset) const {
  live_.ReadByItsWriter();
  const domain::Day from = live_.head.marks.from;
  const bool kept = std::any_of(changeset.marks_erase.begin(), changeset.marks_erase.end(),
                                [from](const auto& mark) { return mark.day >= from; });
  return kept ? Status(Stale("an event mark's day")) : Done{};
}

void SyncedWrite::StageForgotten(const domain::Changeset& changeset) {
  if (changeset.marks_from && *changeset.marks_from > head_.marks.from) {
    head_.marks.from = *changeset.marks_from;
    head_moved_ = true;
  }
  for (const auto& serial : changeset.revocations_erase) {
    writes_.Delete(store_.handle(Column::kRevocations), std::string(AsText(serial)));
  }
  const auto& marks = changeset.marks_erase;
  if (marks.empty()) return;
  for (const auto& mark : marks) {
    writes_.Delete(store_.handle(Column::kEvents), keys::OfEvent(mark.source, mark.id));
  }
  writes_.DeleteRange(store_.handle(Column::kDayMarks), keys::OfDayMark(marks.front()),
                      keys::Behind(keys::OfDayMark(marks.back())));
  head_.marks.forgotten += marks.size();
  head_moved_ = true;
}

// A clock that was set back makes no mark of a day that is being forgotten.
void SyncedWrite::StageMark(const domain::EventMark& mark) {
  std::string key = keys::OfEvent(mark.source, mark.id);
  Put(Column::kEvents, key, Encode(mark));
  const domain::Day day = std::max(domain::DayOf(mark.at), head_.marks.from);
  Put(Column::kDayMarks, keys::OfDayMark({day, mark.source, mark.id}), "");
  marks_.insert(std::move(key));
}

std::optional<JobTable::Entry> SyncedWrite::FindJob(const JobId& id) const {
  live_.ReadByItsWriter();
  const auto staged = jobs_.find(id);
  return staged == jobs_.end() ? live_.jobs.Find(id) : staged->second;
}

void SyncedWrite::Put(Column column, const std::string& key, const std::string& value) {
  writes_.Put(store_.handle(column), key, value);
}

Seq& SyncedWrite::EndOf(Sink sink) {
  switch (sink) {
    case Sink::kZone:
      return head_.outbox_zone;
    case Sink::kCrl:
      return head_.outbox_crl;
    default:
      return head_.outbox_mqtt;
  }
}

void SyncedWrite::Push(Sink sink, const std::string& record) {
  Put(Column::kOutbox, keys::OfOutbox(sink, ++EndOf(sink)), record);
  head_moved_ = true;
}

void SyncedWrite::StageRecords(domain::Changeset& changeset, PlaceChanges::ByDevice& places) {
  if (changeset.mark) StageMark(*changeset.mark);
  for (auto& put : changeset.devices) {
    put.device.version = put.expected_version + 1;
    Put(Column::kDevices, keys::OfDevice(put.device.id), Encode(put.device));
    places_.Stage(put.device, places, writes_);
  }
  for (auto& put : changeset.endpoints) {
    put.endpoint.version = put.expected_version + 1;
    Put(Column::kEndpoints, keys::OfEndpoint(put.endpoint.asp, put.endpoint.endpoint.name),
        Encode(put.endpoint));
  }
  for (const auto& release : changeset.releases) {
    writes_.Delete(store_.handle(Column::kUnique), keys::OfUnique(release));
  }
  for (const auto& [value, device] : changeset.claims) {
    Put(Column::kUnique, keys::OfUnique(value), keys::OfDevice(device));
  }
}

void SyncedWrite::StageJobs(domain::Changeset& changeset) {
  for (const auto& id : changeset.jobs_erase) {
    writes_.Delete(store_.handle(Column::kJobs), id.text());
    StageJob(id, std::nullopt);
  }
  for (const auto& job : changeset.jobs_put) {
    Put(Column::kJobs, job.id.text(), Encode(job));
    StageJob(job.id, JobTable::EntryOf(job));
  }
}

void SyncedWrite::StageJob(const JobId& id, std::optional<JobTable::Entry> entry) {
  const auto before = FindJob(id);
  if (entry && !entry->mno && before) entry->mno = before->mno;
  if (before && before->Open()) --opened_[*before->mno];
  if (entry && entry->Open()) ++opened_[*entry->mno];
  jobs_[id] = std::move(entry);
}

void SyncedWrite::StageOrders(domain::Changeset& changeset) {
  for (const OrderId& id : changeset.orders_erase) {
    auto* const orders = store_.handle(Column::kOrders);
    writes_.Delete(orders, keys::OfOrder(id));
    writes_.DeleteRange(orders, keys::OfOrderItem(id, 0), keys::OfOrderItem(id, ~std::uint64_t{0}));
    versions_[InColumn(Column::kOrders, keys::OfOrder(id))] = 0;
  }
  for (auto& put : changeset.orders) {
    put.order.version = put.expected_version + 1;
    Put(Column::kOrders, keys::OfOrder(put.order.id), Encode(put.order));
  }
  for (const auto& item : changeset.order_items) {
    Put(Column::kOrders, keys::OfOrderItem(item.order, item.number), Encode(item));
  }
}

void SyncedWrite::StageLog(domain::Changeset& changeset) {
  for (const auto& entry : changeset.history) {
    const std::string record = Encode(entry);
    head_.chain = ChainHash(head_.chain, record);
    const Seq seq = ++head_.history;
    Put(Column::kHistory, keys::OfSeq(seq), std::string(AsText(head_.chain)) + record);
    Put(Column::kHistoryByDevice, keys::OfDeviceHistory(entry.device, seq), "");
    head_moved_ = true;
  }
  for (const auto& letter : changeset.dead_letters) {
    const Seq seq = ++head_.dead_letters;
    Put(Column::kDeadLetters, keys::OfSeq(seq), Encode(letter));
    if (seq > kDeadLettersKept) {
      writes_.Delete(store_.handle(Column::kDeadLetters), keys::OfSeq(seq - kDeadLettersKept));
    }
    head_moved_ = true;
  }
}

void SyncedWrite::StageOutbox(domain::Changeset& changeset) {
  for (const auto& message : changeset.messages) Push(Sink::kMqtt, Encode(message));
  for (const auto& change : changeset.zone) {
    const std::string record = Encode(change);
    if (change.tlsa.empty() && change.note.empty()) {
      writes_.Delete(store_.handle(Column::kZone), keys::OfDevice(change.device));
    } else {
      Put(Column::kZone, keys::OfDevice(change.device), record);
    }
    Push(Sink::kZone, record);
  }
  for (const auto& revocation : changeset.revocations) {
    const std::string record = Encode(revocation);
    Put(Column::kRevocations, std::string(AsText(revocation.serial)), record);
    Push(Sink::kCrl, record);
  }
}

void SyncedWrite::StageFeeds(domain::Changeset& changeset) {
  const auto state_of = [&](const PartyId& party) -> FeedState& {
    live_.ReadByItsWriter();
    const auto known = live_.feeds.find(party);
    return feeds_.emplace(party, known == live_.feeds.end() ? FeedState{} : known->second).first->second;
  };
  for (const auto& ack : changeset.feed_acks) {
    FeedState& state = state_of(ack.party);
    state.acked = std::max(state.acked, std::min(ack.seq, state.last));
    Seq& trimmed = trimmed_.feeds[ack.party];
    if (state.acked - trimmed < kTrimEvery) continue;
    writes_.DeleteRange(store_.handle(Column::kFeed), keys::OfFeed(ack.party, trimmed + 1),
                        keys::OfFeed(ack.party, state.acked + 1));
    trimmed = state.acked;
  }
  for (auto& notification : changeset.notifications) {
    const PartyId party = notification.to;
    const FeedItem item{++state_of(party).last, std::move(notification)};
    const std::string record = Encode(item);
    Put(Column::kFeed, keys::OfFeed(party, item.seq), record);
    Push(Sink::kMqtt, record);
  }
}

void SyncedWrite::Add(Sink sink, const SinkState& state) {
  live_.ReadByItsWriter();
  const SinkState& now = sinks_.emplace(sink, live_.sinks[IndexOf(sink)]).first->second;
  if (state.cursor < now.cursor) return;
  const SinkState next{std::min(state.cursor, EndOf(sink)), state.state};
  Put(Column::kSinks, keys::OfSink(sink), Encode(next));
  Seq& trimmed = trimmed_.outbox[IndexOf(sink)];
  if (next.cursor - trimmed >= kTrimEvery) {
    writes_.DeleteRange(store_.handle(Column::kOutbox), keys::OfOutbox(sink, trimmed + 1),
                        keys::OfOutbox(sink, next.cursor + 1));
    trimmed = next.cursor;
  }
  sinks_[sink] = next;
}

rocksdb::WriteBatch& SyncedWrite::Seal() {
  for (const auto& [party, state] : feeds_) Put(Column::kFeedState, party.text(), Encode(state));
  if (head_moved_) Put(Column::kMeta, keys::kHead, Encode(head_));
  return writes_;
}

void SyncedWrite::Publish(Live& live) {
  const WriteLock lock(live.mutex);
  live.head = head_;
  for (const auto& [party, state] : feeds_) live.feeds[party] = state;
  for (const auto& [sink, state] : sinks_) {
    SinkState& now = live.sinks[IndexOf(sink)];
    if (state.cursor >= now.cursor) now = state;
  }
  for (auto& [id, job] : jobs_) {
    if (job) {
      live.jobs.Put(id, *job);
    } else {
      live.jobs.Erase(id);
    }
  }
}

}  // namespace registry::ledger
