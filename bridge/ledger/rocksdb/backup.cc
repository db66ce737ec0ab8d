#include "bridge/ledger/rocksdb/backup.h"

#include <rocksdb/utilities/checkpoint.h>

#include <filesystem>
#include <limits>

#include "bridge/ledger/private_folder.h"
#include "bridge/ledger/rocksdb/folder.h"
#include "bridge/ledger/rocksdb/keys.h"
#include "bridge/ledger/rocksdb/live.h"
#include "bridge/ledger/rocksdb/options.h"
#include "bridge/ledger/rocksdb/store.h"

namespace registry::ledger {
namespace {

namespace fs = std::filesystem;

Error CannotCopy(const std::string& to, const std::string& why) {
  return Error::Make(Code::kFailed, kLedgerFailed,
                     "a copy of the ledger cannot be made in " + to + ": " + why);
}

// Tables are never written to again; every other file may be.
void CopyFile(const fs::path& from, const fs::path& to, std::error_code& failed) {
  if (from.extension() == ".sst") {
    fs::create_hard_link(from, to, failed);
    if (!failed) return;
    failed.clear();
  }
  fs::copy_file(from, to, failed);
}

Status CopyFiles(const std::string& folder, const std::string& to) {
  std::error_code failed;
  for (const auto& file : fs::directory_iterator(folder, failed)) {
    const fs::path name = file.path().filename();
    if (name == "LOCK" || !file.is_regular_file(failed)) continue;
    CopyFile(file.path(), to / name, failed);
    if (failed) break;
  }
  if (failed) return CannotCopy(to, failed.message());
  return Done{};
}

// Moves what is behind `acked` to its new number, a bounded write at a time.
class FeedStep {
 public:
  explicit FeedStep(Store& store) : store_(store) {}

  Status Feed(const PartyId& party, const FeedState& state) {
    const std::string first = keys::OfFeed(party, state.acked + 1), end = keys::OfFeed(party, state.last + 1);
    auto moved = store_.Scan(Column::kFeed, first, end, [&](std::string_view, std::string_view record) {
      return Put(Column::kFeed, record, [&](const FeedItem& item) { return keys::OfFeed(party, item.seq); });
    });
    if (!moved) return moved;
    if (first < end) writes_.DeleteRange(store_.handle(Column::kFeed), first, end);
    writes_.Put(store_.handle(Column::kFeedState), party.text(),
                Encode(FeedState{state.last + kFeedStep, state.acked + kFeedStep}));
    return Done{};
  }
  // What waits for the broker carries the number that it was given.
  Status Outbox(Seq cursor, Seq last) {
    const std::string first = keys::OfOutbox(Sink::kMqtt, cursor + 1);
    const std::string end = keys::OfOutbox(Sink::kMqtt, last + 1);
    return store_.Scan(Column::kOutbox, first, end, [&](std::string_view key, std::string_view record) {
      if (record.empty() || record.front() != static_cast<char>(Kind::kFeedItem)) return Result<bool>(true);
      return Put(Column::kOutbox, record, [&](const FeedItem&) { return std::string(key); });
    });
  }
  Status Finish() { return store_.Write(writes_, true); }

 private:
  template <class KeyOf>
  Result<bool> Put(Column column, std::string_view record, KeyOf key_of) {
    auto item = Decode<FeedItem>(record);
    if (!item) return item.error();
    item->seq += kFeedStep;
    writes_.Put(store_.handle(column), key_of(*item), Encode(*item));
    if (static_cast<int>(writes_.Count()) < kWritesMax) return true;
    if (auto written = store_.Write(writes_, false); !written) return written.error();
    writes_.Clear();
    return true;
  }

  Store& store_;
  rocksdb::WriteBatch writes_;
};

}  // namespace

// Nothing is flushed (the size that no log reaches): a flush would be as many small tables as there are families, and a
// checkpoint of several families is one moment only with their logs.
Status Store::Checkpoint(const std::string& to) const {
  const Mark mark{mark_->id(), LastWrite()};  // before, so that the copy holds it
  rocksdb::Checkpoint* made = nullptr;
  auto status = rocksdb::Checkpoint::Create(db_.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(to, std::numeric_limits<std::uint64_t>::max());
  if (!status.ok()) return CannotCopy(to, status.ToString());
  std::error_code failed;
  fs::permissions(to, fs::perms::owner_all, failed);
  if (failed) return CannotCopy(to, failed.message());
  if (auto kept = KeepPrivate(to); !kept) return kept;
  return WriteMark(to, mark);
}

Status CopyStoppedLedger(const std::string& folder, const std::string& to) {
  if (auto there = CheckThere(folder); !there) return there;
  if (auto kept = CheckPrivate(folder); !kept) return kept;
  const auto mark = ReadMark(folder);
  if (!mark) return mark.error();
  const auto lock = FolderLock::Take(folder);
  if (!lock) return lock.error();
  const auto seen = LookInto(folder, kRecovery);
  if (!seen) return seen.error();
  if (auto fits = CheckAgainst(*mark, seen->id, seen->last, folder); !fits) return fits;
  if (auto made = MakePrivateFolder(to); !made) return made;
  return CopyFiles(folder, to);
}

Result<LedgerPoint> PointOf(const std::string& folder) {
  if (auto there = CheckThere(folder); !there) return there.error();
  const auto mark = ReadMark(folder);
  if (!mark) return mark.error();
  const auto seen = LookInto(folder, kRecovery);
  if (!seen) return seen.error();
  if (auto fits = CheckAgainst(*mark, seen->id, seen->last, folder); !fits) return fits.error();
  LedgerPoint point{mark->id, seen->format, seen->last, 0, {}};
  if (point.format > kFolderFormat) return Newer(folder);
  if (seen->head.empty()) return point;
  const auto head = Decode<Head>(seen->head);
  if (!head) return head.error();
  point.history = head->history;
  point.chain = head->chain;
  return point;
}

Result<std::uint64_t> StepFeeds(const std::string& folder) {
  auto store = Store::Open(folder, {});
  if (!store) return store.error();
  Live live;
  const WriteLock lock(live.mutex);
  if (auto loaded = Load(**store, live); !loaded) return loaded.error();
  FeedStep step(**store);
  if (auto stepped = step.Outbox(live.sinks[IndexOf(Sink::kMqtt)].cursor, live.head.outbox_mqtt); !stepped)
    return stepped.error();
  for (const auto& [party, state] : live.feeds) {
    if (auto moved = step.Feed(party, state); !moved) return moved.error();
  }
  if (auto finished = step.Finish(); !finished) return finished.error();
  return live.feeds.size();
}

}  // namespace registry::ledger
