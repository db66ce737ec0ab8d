// bridge/ledger/rocksdb/synced_write.h: the changesets of one synced write. Each is checked against the database and
// against those staged before it; one that fails leaves no trace and does not hurt the others. Numbers,
// versions and the hash chain are given out here. Nothing is visible before Publish.
// Threads: the committer only.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "bridge/ledger/rocksdb/live.h"
#include "bridge/ledger/rocksdb/places.h"

namespace registry::ledger {

// How far each range of forgotten records was really deleted. RocksDB keeps every deleted range in mind while
// reading, so few wide ranges are better than one per acknowledgement.
struct Trimmed {
  std::array<Seq, kAllSinks.size()> outbox{};
  std::map<PartyId, Seq> feeds;
};

class SyncedWrite {
 public:
  SyncedWrite(const Store& store, const Live& live, Trimmed& trimmed);

  // kEventKnown, kStale, or a reading error; then nothing of it was staged.
  Status Add(domain::Changeset& changeset);
  void Add(Sink sink, const SinkState& state);

  // Seals the batch: adds the head and feed states. Once, after the last Add.
  rocksdb::WriteBatch& Seal();
  // After the write: what readers of `live` see from now on.
  void Publish(Live& live);

 private:
  using Versions = std::unordered_map<std::string, std::uint64_t>;
  using Holders = std::unordered_map<std::string, std::optional<std::string>>;

  // `devices`: the records of the changeset's devices that were read for it.
  Status Check(const domain::Changeset& changeset, Versions& versions, Holders& holders,
               PlaceChanges::Records& devices) const;
  Status CheckMark(const domain::Changeset& changeset) const;
  Status CheckVersion(Column column, const std::string& key, std::uint64_t expected, Versions& versions,
                      PlaceChanges::Records* read = nullptr) const;
  Status CheckClaims(const domain::Changeset& changeset, Holders& holders) const;
  Result<std::optional<std::string>> HolderOf(const std::string& key) const;
  Status CheckBounds(const domain::Changeset& changeset) const;
  Status CheckForgotten(const domain::Changeset& changeset) const;
  std::optional<JobTable::Entry> FindJob(const JobId& id) const;

  void StageRecords(domain::Changeset& changeset, PlaceChanges::ByDevice& places);
  void StageForgotten(const domain::Changeset& changeset);
  void StageMark(const domain::EventMark& mark);
  void StageJobs(domain::Changeset& changeset);
  void StageOrders(domain::Changeset& changeset);
  void StageJob(const JobId& id, std::optional<JobTable::Entry> entry);
  void StageLog(domain::Changeset& changeset);
  void StageOutbox(domain::Changeset& changeset);
  void StageFeeds(domain::Changeset& changeset);
  void Put(Column column, const std::string& key, const std::string& value);
  void Push(Sink sink, const std::string& record);
  Seq& EndOf(Sink sink);

  const Store& store_;
  const Live& live_;
  Trimmed& trimmed_;
  rocksdb::WriteBatch writes_;
  Head head_;
  bool head_moved_ = false;
  std::unordered_set<std::string> marks_;
  Versions versions_;
  Holders holders_;
  PlaceChanges places_;
  std::map<PartyId, FeedState> feeds_;
  std::map<Sink, SinkState> sinks_;
  std::map<JobId, std::optional<JobTable::Entry>> jobs_;  // nullopt erases
  std::map<PartyId, std::int64_t> opened_;                // more (or fewer) open jobs than in live_
};

}  // namespace registry::ledger
