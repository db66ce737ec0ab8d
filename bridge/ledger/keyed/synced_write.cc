#include "bridge/ledger/keyed/synced_write.h"

#include <algorithm>

#include "bridge/ledger/keyed/keys.h"

namespace registry::ledger {
namespace {

// Forgotten records that may pile up before their range is deleted.
constexpr Seq kTrimEvery = 4096;

Error Stale(std::string_view what) {
  return Error::Make(Code::kFailed, kStale, std::string(what) + " moved since it was read");
}

std::string_view OneOf(Column column) {
  return column == Column::kDevices ? "device" : column == Column::kOrders ? "order" : "endpoint";
}

std::string InColumn(Column column, std::string_view key) {
  return std::string(1, static_cast<char>(column)) += key;
}

}  // namespace

SyncedWrite::SyncedWrite(const ReadAhead& stored, const Live& live, Trimmed& trimmed, RecentDevices& devices)
    : stored_(stored), live_(live), trimmed_(trimmed), devices_(devices) {
  live.ReadByItsWriter();
  head_ = live.head;
}

Status SyncedWrite::Add(const Encoded& changeset) {
  Holders holders;
  if (auto sound = Check(changeset, holders); !sound) return sound;
  for (auto& [key, holder] : holders) holders_[key] = std::move(holder);
  StageForgotten(changeset);
  if (changeset.mark) StageMark(*changeset.mark);
  StageErasedOrders(changeset);
  StageErasedEndpoints(changeset);
  StageWrites(changeset);
  StageVersions(changeset);
  StageJobs(changeset.jobs);
  StageLog(changeset);
  for (const auto& push : changeset.pushes) Push(push.sink, changeset(push.record));
  StageFeeds(changeset);
  return Done{};
}

Status SyncedWrite::Check(const Encoded& changeset, Holders& holders) const {
  if (auto sound = CheckMark(changeset); !sound) return sound;
  if (auto sound = CheckVersions(changeset); !sound) return sound;
  if (auto sound = CheckEndpoints(changeset); !sound) return sound;
  if (auto sound = CheckClaims(changeset, holders); !sound) return sound;
  if (auto sound = CheckForgotten(changeset); !sound) return sound;
  if (auto sound = CheckGone(changeset.jobs); !sound) return sound;
  return CheckBounds(changeset.jobs);
}

Status SyncedWrite::CheckMark(const Encoded& changeset) const {
  if (!changeset.mark) return Done{};
  bool known = marks_.contains(changeset.mark->key);
  if (!known) {
    const auto stored = stored_.Get(Column::kEvents, changeset.mark->key);
    if (!stored) return stored.error();
    known = stored->has_value();
  }
  if (known)
    return Error::Make(Code::kExists, kEventKnown, "an event of this source and id was admitted before");
  return Done{};
}

// A record may be put twice in one changeset; the second stands on the first.
Status SyncedWrite::CheckVersions(const Encoded& changeset) const {
  const auto& puts = changeset.versioned;
  for (auto put = puts.begin(); put != puts.end(); ++put) {
    const auto before = std::find_if(std::make_reverse_iterator(put), puts.rend(), [&](const auto& other) {
      return other.column == put->column && other.key == put->key;
    });
    const auto version =
        before != puts.rend() ? Result<std::uint64_t>(before->expected + 1) : VersionOf(*put);
    if (!version) return version.error();
    if (*version != put->expected) return Stale(OneOf(put->column));
  }
  return Done{};
}

Result<std::uint64_t> SyncedWrite::VersionOf(const Encoded::Versioned& put) const {
  if (put.column == Column::kDevices) {
    const auto device = devices_.Find(put.key);
    if (!device) return device.error();
    return device->version;
  }
  const auto staged = versions_.find(InColumn(put.column, put.key));
  if (staged != versions_.end()) return staged->second;
  const auto stored = stored_.Get(put.column, put.key);
  if (!stored) return stored.error();
  if (!*stored) return std::uint64_t{0};
  const auto peeked = PeekVersion(**stored);
  if (!peeked) return Error::Make(Code::kFailed, kLedgerDamaged, "a stored record has no version");
  return *peeked;
}

Status SyncedWrite::CheckEndpoints(const Encoded& changeset) const {
  for (const auto& seen : changeset.seen) {
    const auto version = VersionOf(seen);
    if (!version) return version.error();
    if (*version != seen.expected) return Stale("endpoint");
  }
  for (const auto& [endpoint, bound] : changeset.endpoints_erase) {
    const auto version = VersionOf(endpoint);
    if (!version) return version.error();
    if (*version != endpoint.expected) return Stale("endpoint");
    const auto in_use = IsInUse(bound);
    if (!in_use) return in_use.error();
    if (*in_use) return Stale("what is bound to an endpoint");
  }
  return Done{};
}

// By what is stored, and by what is staged. A device that leaves within this batch still counts: it is decided again.
Result<bool> SyncedWrite::IsInUse(const keys::KeyRange& bound) const {
  bool found = devices_.AnyIn(bound);
  if (found) return true;
  const auto scanned = stored_.store().Scan(
      Column::kPlaces, bound.first, bound.end,
      [&found](std::string_view, std::string_view) -> Result<bool> {
        found = true;
        return false;
      },
      1);
  if (!scanned) return scanned.error();
  return found;
}

Status SyncedWrite::CheckClaims(const Encoded& changeset, Holders& holders) const {
  for (const auto& claim : changeset.claims) {
    if (claim.device.empty()) {
      holders[claim.value] = std::nullopt;
      continue;
    }
    if (!holders.contains(claim.value)) {
      auto holder = HolderOf(claim.value);
      if (!holder) return holder.error();
      holders[claim.value] = std::move(*holder);
    }
    auto& holder = holders[claim.value];
    if (holder && *holder != claim.device) return Stale("unique value");
    holder = claim.device;
  }
  return Done{};
}

Result<std::optional<std::string>> SyncedWrite::HolderOf(const std::string& key) const {
  if (const auto staged = holders_.find(key); staged != holders_.end()) return staged->second;
  return stored_.Get(Column::kUnique, key);
}

Status SyncedWrite::CheckBounds(const JobChanges& jobs) const {
  const auto open = [this](const PartyId& mno) {
    live_.ReadByItsWriter();
    const auto staged = opened_.find(mno);
    const auto more = staged == opened_.end() ? 0 : staged->second;
    return static_cast<std::size_t>(static_cast<std::int64_t>(live_.jobs.LoadOf(mno).open) + more);
  };
  if (KeepsBounds(jobs, open, [this](const JobId& id) { return FindJob(id); })) return Done{};
  return Stale("what an MNO has open");
}

// On one node a lane keeps those apart that decide about one job. Another node knows nothing of it.
Status SyncedWrite::CheckGone(const JobChanges& jobs) const {
  if (!live_.shared) return Done{};
  live_.ReadByItsWriter();
  const bool gone = std::ranges::any_of(jobs.put, [&](const auto& put) {
    const JobId& id = put.first;
    if (std::ranges::find(jobs.erased, id) != jobs.erased.end()) return false;
    const auto staged = jobs_.find(id);
    return staged == jobs_.end() ? live_.heard.WasErased(id) : !staged->second;
  });
  return gone ? Status(Stale("a job")) : Done{};
}

// Held against what was published, not against this batch: no mark of such a day is staged, so whoever has read which
// marks there are has read them all.
Status SyncedWrite::CheckForgotten(const Encoded& changeset) const {
  live_.ReadByItsWriter();
  const domain::Day from = live_.head.marks.from;
  const bool kept = std::any_of(changeset.marks_erase.begin(), changeset.marks_erase.end(),
                                [from](const auto& mark) { return mark.day >= from; });
  return kept ? Status(Stale("an event mark's day")) : Done{};
}

void SyncedWrite::StageForgotten(const Encoded& changeset) {
  if (changeset.marks_from && *changeset.marks_from > head_.marks.from) {
    head_.marks.from = *changeset.marks_from;
    head_moved_ = true;
  }
  const auto& marks = changeset.marks_erase;
  if (marks.empty()) return;
  writes_.DeleteRange(Column::kDayMarks, writes_.Keep(keys::OfDayMark(marks.front())),
                      writes_.Keep(keys::Behind(keys::OfDayMark(marks.back()))));
  head_.marks.forgotten += marks.size();
  head_moved_ = true;
}

// A clock that was set back makes no mark of a day that is being forgotten.
void SyncedWrite::StageMark(const Encoded::Mark& mark) {
  domain::DayMark day = mark.day;
  day.day = std::max(day.day, head_.marks.from);
  writes_.Put(Column::kDayMarks, writes_.Keep(keys::OfDayMark(day)), "");
  marks_.insert(mark.key);
}

std::optional<JobTable::Entry> SyncedWrite::FindJob(const JobId& id) const {
  live_.ReadByItsWriter();
  const auto staged = jobs_.find(id);
  return staged == jobs_.end() ? live_.jobs.Find(id) : staged->second;
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

void SyncedWrite::Push(Sink sink, std::string_view record) {
  writes_.Put(Column::kOutbox, writes_.Keep(keys::OfOutbox(sink, ++EndOf(sink))), record);
  head_moved_ = true;
}

void SyncedWrite::StageErasedOrders(const Encoded& changeset) {
  for (const OrderId& id : changeset.orders_erase) {
    const std::string_view key = writes_.Keep(keys::OfOrder(id));
    writes_.Delete(Column::kOrders, key);
    writes_.DeleteRange(Column::kOrders, writes_.Keep(keys::OfOrderItem(id, 0)),
                        writes_.Keep(keys::OfOrderItem(id, ~std::uint64_t{0})));
    versions_[InColumn(Column::kOrders, key)] = 0;
  }
}

void SyncedWrite::StageErasedEndpoints(const Encoded& changeset) {
  for (const auto& [endpoint, bound] : changeset.endpoints_erase) {
    writes_.Delete(Column::kEndpoints, writes_.Keep(endpoint.key));
    versions_[InColumn(Column::kEndpoints, endpoint.key)] = 0;
  }
}

void SyncedWrite::StageWrites(const Encoded& changeset) {
  for (const auto& write : changeset.writes) {
    if (write.deletes) {
      writes_.Delete(write.column, changeset(write.key));
    } else {
      writes_.Put(write.column, changeset(write.key), changeset(write.value));
    }
  }
}

// Find has been asked for each device by the check, so it is answered from memory.
void SyncedWrite::StageVersions(const Encoded& changeset) {
  auto places = changeset.places.begin();
  for (const auto& put : changeset.versioned) {
    if (put.column != Column::kDevices) {
      versions_[InColumn(put.column, put.key)] = put.expected + 1;
      continue;
    }
    StagePlaces(*devices_.Find(put.key)->places, **places, writes_);
    devices_.Put(put.key, {put.expected + 1, *places++});
  }
  written_.insert(written_.end(), changeset.devices.begin(), changeset.devices.end());
}

void SyncedWrite::StageJobs(const JobChanges& jobs) {
  for (const auto& id : jobs.erased) StageJob(id, std::nullopt);
  for (const auto& [id, job] : jobs.put) StageJob(id, job);
}

void SyncedWrite::StageJob(const JobId& id, std::optional<JobTable::Entry> entry) {
  const auto before = FindJob(id);
  if (entry && !entry->mno && before) entry->mno = before->mno;
  if (before && before->Open()) --opened_[*before->mno];
  if (entry && entry->Open()) ++opened_[*entry->mno];
  jobs_[id] = std::move(entry);
}

void SyncedWrite::StageLog(const Encoded& changeset) {
  for (const auto& entry : changeset.history) {
    const std::string_view record = changeset(entry.record);
    head_.chain = ChainHash(head_.chain, record);
    const Seq seq = ++head_.history;
    std::string value(AsText(head_.chain));
    value += record;
    writes_.Put(Column::kHistory, writes_.Keep(keys::OfSeq(seq)), writes_.Keep(std::move(value)));
    writes_.Put(Column::kHistoryByDevice, writes_.Keep(entry.device + keys::OfSeq(seq)), "");
    head_moved_ = true;
  }
  for (const auto& letter : changeset.dead_letters) {
    const Seq seq = ++head_.dead_letters;
    writes_.Put(Column::kDeadLetters, writes_.Keep(keys::OfSeq(seq)), changeset(letter));
    if (seq > kDeadLettersKept)
      writes_.Delete(Column::kDeadLetters, writes_.Keep(keys::OfSeq(seq - kDeadLettersKept)));
    head_moved_ = true;
  }
}

FeedState& SyncedWrite::FeedOf(const PartyId& party) {
  live_.ReadByItsWriter();
  if (const auto staged = feeds_.find(party); staged != feeds_.end()) return staged->second;
  const auto known = live_.feeds.find(party);
  return feeds_.emplace(party, known == live_.feeds.end() ? FeedState{} : known->second).first->second;
}

void SyncedWrite::StageFeeds(const Encoded& changeset) {
  for (const auto& ack : changeset.feed_acks) {
    FeedState& state = FeedOf(ack.party);
    state.acked = std::max(state.acked, std::min(ack.seq, state.last));
    Seq& trimmed = trimmed_.feeds[ack.party];
    if (state.acked - trimmed < kTrimEvery) continue;
    writes_.DeleteRange(Column::kFeed, writes_.Keep(keys::OfFeed(ack.party, trimmed + 1)),
                        writes_.Keep(keys::OfFeed(ack.party, state.acked + 1)));
    trimmed = state.acked;
  }
  for (const auto& notification : changeset.notifications) {
    const Seq seq = ++FeedOf(notification.to).last;
    const std::string_view record = writes_.Keep(EncodeFeedItem(seq, changeset(notification.fields)));
    writes_.Put(Column::kFeed, writes_.Keep(keys::OfFeed(notification.to, seq)), record);
    Push(Sink::kMqtt, record);
  }
}

void SyncedWrite::Add(Sink sink, const SinkState& state) {
  live_.ReadByItsWriter();
  const SinkState& now = sinks_.emplace(sink, live_.sinks[IndexOf(sink)]).first->second;
  if (state.cursor < now.cursor) return;
  const SinkState next{std::min(state.cursor, EndOf(sink)), state.state};
  writes_.Put(Column::kSinks, writes_.Keep(keys::OfSink(sink)), writes_.Keep(Encode(next)));
  Seq& trimmed = trimmed_.outbox[IndexOf(sink)];
  if (next.cursor - trimmed >= kTrimEvery) {
    writes_.DeleteRange(Column::kOutbox, writes_.Keep(keys::OfOutbox(sink, trimmed + 1)),
                        writes_.Keep(keys::OfOutbox(sink, next.cursor + 1)));
    trimmed = next.cursor;
  }
  sinks_[sink] = next;
}

OrderedWrites& SyncedWrite::Seal() {
  for (const auto& [party, state] : feeds_)
    writes_.Put(Column::kFeedState, party.text(), writes_.Keep(Encode(state)));
  if (head_moved_) writes_.Put(Column::kMeta, keys::kHead, writes_.Keep(Encode(head_)));
  return writes_;
}

Change SyncedWrite::Told() const {
  Change change;
  if (head_moved_) change.head = head_;
  change.feeds.assign(feeds_.begin(), feeds_.end());
  change.sinks.assign(sinks_.begin(), sinks_.end());
  change.jobs.assign(jobs_.begin(), jobs_.end());
  for (const auto& device : written_) change.devices.emplace_back(device->id, device->version);
  change.orders = std::ranges::any_of(versions_, [](const auto& version) {
    return static_cast<Column>(version.first.front()) == Column::kOrders;
  });
  return change;
}

void SyncedWrite::HideDevices(Live& live) const {
  if (live.shared) return;
  const WriteLock lock(live.mutex);
  for (const auto& device : written_) live.devices.Hide(device->id);
}

void SyncedWrite::Publish(Live& live) {
  const WriteLock lock(live.mutex);
  live.head = head_;
  for (const auto& [party, state] : feeds_) live.feeds[party] = state;
  for (const auto& [sink, state] : sinks_) {
    SinkState& now = live.sinks[IndexOf(sink)];
    if (state.cursor >= now.cursor) now = state;
  }
  for (auto& device : written_) {
    if (live.shared) {
      live.heard.Note(device->id, device->version);
    } else {
      live.devices.Put(std::move(device));
    }
  }
  for (const auto& [id, job] : jobs_) live.PutJob(id, job);
}

}  // namespace registry::ledger
