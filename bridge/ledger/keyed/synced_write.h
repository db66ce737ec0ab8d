// bridge/ledger/keyed/synced_write.h: the changesets of one synced write. Each is checked against the database and
// against those staged before it; one that fails leaves no trace and does not hurt the others. Numbers,
// versions and the hash chain are given out here. Nothing is visible before Publish.
// Threads: the committer only.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "bridge/ledger/keyed/change.h"
#include "bridge/ledger/keyed/encoded.h"
#include "bridge/ledger/keyed/live.h"
#include "bridge/ledger/keyed/ordered_writes.h"
#include "bridge/ledger/keyed/read_ahead.h"
#include "bridge/ledger/keyed/recent_devices.h"

namespace registry::ledger {

// How far each range of forgotten records was really deleted. RocksDB keeps every deleted range in mind while
// reading, so few wide ranges are better than one per acknowledgement.
struct Trimmed {
  std::array<Seq, kAllSinks.size()> outbox{};
  std::map<PartyId, Seq> feeds;
};

class SyncedWrite {
 public:
  SyncedWrite(const ReadAhead& stored, const Live& live, Trimmed& trimmed, RecentDevices& devices);

  // kEventKnown, kStale, or a reading error; then nothing of it was staged. The changeset outlives the write.
  Status Add(const Encoded& changeset);
  void Add(Sink sink, const SinkState& state);

  // Adds the head and feed states. Once, after the last Add.
  OrderedWrites& Seal();
  // After Seal: what the others are told, where there are any.
  Change Told() const;
  // Before the write: from then on the database may show what Publish has not put into `live` yet, and who has read a job
  // there must not read an older device here.
  void HideDevices(Live& live) const;
  // After the write: what readers of `live` see from now on.
  void Publish(Live& live);

 private:
  using Holders = std::unordered_map<std::string, std::optional<std::string>>;

  Status Check(const Encoded& changeset, Holders& holders) const;
  Status CheckMark(const Encoded& changeset) const;
  Status CheckVersions(const Encoded& changeset) const;
  Result<std::uint64_t> VersionOf(const Encoded::Versioned& put) const;
  Status CheckClaims(const Encoded& changeset, Holders& holders) const;
  Result<std::optional<std::string>> HolderOf(const std::string& key) const;
  Status CheckEndpoints(const Encoded& changeset) const;
  Result<bool> IsInUse(const keys::KeyRange& bound) const;
  Status CheckBounds(const JobChanges& jobs) const;
  Status CheckGone(const JobChanges& jobs) const;
  Status CheckForgotten(const Encoded& changeset) const;
  std::optional<JobTable::Entry> FindJob(const JobId& id) const;

  void StageForgotten(const Encoded& changeset);
  void StageMark(const Encoded::Mark& mark);
  void StageErasedOrders(const Encoded& changeset);
  void StageErasedEndpoints(const Encoded& changeset);
  void StageWrites(const Encoded& changeset);
  void StageVersions(const Encoded& changeset);
  void StageJobs(const JobChanges& jobs);
  void StageJob(const JobId& id, std::optional<JobTable::Entry> entry);
  void StageLog(const Encoded& changeset);
  void StageFeeds(const Encoded& changeset);
  FeedState& FeedOf(const PartyId& party);
  void Push(Sink sink, std::string_view record);
  Seq& EndOf(Sink sink);

  const ReadAhead& stored_;
  const Live& live_;
  Trimmed& trimmed_;
  RecentDevices& devices_;
  OrderedWrites writes_;
  Head head_;
  bool head_moved_ = false;
  std::unordered_set<std::string> marks_;
  std::unordered_map<std::string, std::uint64_t> versions_;  // but for devices
  std::vector<WrittenDevices::Written> written_;             // in the order they were staged
  Holders holders_;
  std::map<PartyId, FeedState> feeds_;
  std::map<Sink, SinkState> sinks_;
  std::map<JobId, std::optional<JobTable::Entry>> jobs_;  // nullopt erases
  std::map<PartyId, std::int64_t> opened_;                // more (or fewer) open jobs than in live_
};

}  // namespace registry::ledger
