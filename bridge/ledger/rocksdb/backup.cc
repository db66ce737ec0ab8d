#include "bridge/ledger/rocksdb/backup.h"

#include <rocksdb/utilities/checkpoint.h>

#include <filesystem>
#include <limits>

#include "bridge/ledger/private_folder.h"
#include "bridge/ledger/rocksdb/folder.h"
#include "bridge/ledger/rocksdb/job_record.h"
#include "bridge/ledger/rocksdb/keys.h"
#include "bridge/ledger/rocksdb/live.h"
#include "bridge/ledger/rocksdb/options.h"
#include "bridge/ledger/rocksdb/store.h"
#include "workers/domain/job_kinds.h"

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

// A bounded write at a time.
class Writes {
 public:
  explicit Writes(Store& store) : store_(store) {}
  void Put(Column column, std::string_view key, const std::string& record) {
    batch_.Put(store_.handle(column), rocksdb::Slice(key.data(), key.size()), record);
  }
  void DeleteRange(Column column, const std::string& from, const std::string& to) {
    if (from < to) batch_.DeleteRange(store_.handle(column), from, to);
  }
  // For a Visitor: it goes on.
  Result<bool> Bound() {
    if (static_cast<int>(batch_.Count()) < kWritesMax) return true;
    if (auto written = store_.Write(batch_, false); !written) return written.error();
    batch_.Clear();
    return true;
  }
  Status Finish() { return store_.Write(batch_, true); }

 private:
  Store& store_;
  rocksdb::WriteBatch batch_;
};

Result<std::string> WithItsNewNumber(std::string_view record) {
  auto item = Decode<FeedItem>(record);
  if (!item) return item.error();
  item->seq += kFeedStep;
  return Encode(*item);
}

// What is behind `acked`, to its new number.
Status StepFeed(const Store& store, Writes& writes, const PartyId& party, const FeedState& state) {
  const std::string first = keys::OfFeed(party, state.acked + 1), end = keys::OfFeed(party, state.last + 1);
  auto moved = store.Scan(
      Column::kFeed, first, end, [&](std::string_view key, std::string_view record) -> Result<bool> {
        const auto stepped = WithItsNewNumber(record);
        if (!stepped) return stepped.error();
        writes.Put(Column::kFeed, keys::OfFeed(party, keys::SeqAtEnd(key) + kFeedStep), *stepped);
        return writes.Bound();
      });
  if (!moved) return moved;
  writes.DeleteRange(Column::kFeed, first, end);
  writes.Put(Column::kFeedState, party.text(),
             Encode(FeedState{state.last + kFeedStep, state.acked + kFeedStep}));
  return Done{};
}

// What waits for the broker carries the number that it was given.
Status StepOutbox(const Store& store, Writes& writes, Seq cursor, Seq last) {
  return store.Scan(Column::kOutbox, keys::OfOutbox(Sink::kMqtt, cursor + 1),
                    keys::OfOutbox(Sink::kMqtt, last + 1),
                    [&](std::string_view key, std::string_view record) -> Result<bool> {
                      if (record.empty() || record.front() != static_cast<char>(Kind::kFeedItem)) return true;
                      const auto stepped = WithItsNewNumber(record);
                      if (!stepped) return stepped.error();
                      writes.Put(Column::kOutbox, key, *stepped);
                      return writes.Bound();
                    });
}

// A device that waits for its first payload may have had it since the backup; it is owed one either way.
bool StepBindings(std::vector<domain::Binding>& bindings) {
  bool stepped = false;
  for (domain::Binding& binding : bindings) {
    if (binding.composed == 0 && binding.phase != domain::BindingPhase::kLive) continue;
    binding.composed += kPayloadStep;
    if (binding.delivered > 0) binding.delivered += kPayloadStep;
    stepped = true;
  }
  return stepped;
}

// Delivered and composed go together, so nothing is owed that was not. A job that is under way is about the version that the
// device has now; the payload in it was made with the earlier one.
Result<std::uint64_t> StepPayloads(const Store& store, Writes& writes) {
  std::uint64_t devices = 0;
  auto read = store.Scan(Column::kDevices, "", "",
                         [&](std::string_view key, std::string_view record) -> Result<bool> {
                           auto device = Decode<domain::Device>(record);
                           if (!device) return device.error();
                           if (!StepBindings(device->bindings)) return true;
                           ++devices;
                           writes.Put(Column::kDevices, key, Encode(*device));
                           return writes.Bound();
                         });
  if (!read) return read.error();
  read =
      store.Scan(Column::kJobs, "", "", [&](std::string_view key, std::string_view record) -> Result<bool> {
        auto job = ReadJob(store, record);
        if (!job) return job.error();
        if (job->kind != domain::JobKind::kPayloadPush || job->version == 0) return true;
        job->version += kPayloadStep;
        writes.Put(Column::kJobs, key, Encode(*job));
        return writes.Bound();
      });
  if (!read) return read.error();
  return devices;
}

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

Result<Stepped> StepNumbers(const std::string& folder) {
  auto opened = Store::Open(folder, {});
  if (!opened) return opened.error();
  const Store& store = **opened;
  Live live;
  const WriteLock lock(live.mutex);
  if (auto loaded = Load(store, live); !loaded) return loaded.error();
  Writes writes(**opened);
  const Seq cursor = live.sinks[IndexOf(Sink::kMqtt)].cursor;
  if (auto told = StepOutbox(store, writes, cursor, live.head.outbox_mqtt); !told) return told.error();
  for (const auto& [party, state] : live.feeds) {
    if (auto moved = StepFeed(store, writes, party, state); !moved) return moved.error();
  }
  const auto devices = StepPayloads(store, writes);
  if (!devices) return devices.error();
  if (auto finished = writes.Finish(); !finished) return finished.error();
  return Stepped{live.feeds.size(), *devices};
}

}  // namespace registry::ledger
