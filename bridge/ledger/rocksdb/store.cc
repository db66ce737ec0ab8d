#include "bridge/ledger/rocksdb/store.h"

#include <rocksdb/perf_level.h>

#include "bridge/ledger/keyed/day_marks.h"
#include "bridge/ledger/keyed/job_record.h"
#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/keyed/places.h"
#include "bridge/ledger/private_folder.h"
#include "bridge/ledger/rocksdb/folder.h"
#include "bridge/ledger/rocksdb/options.h"

namespace registry::ledger {
namespace {

Error FromStatus(const rocksdb::Status& status, const std::string& doing) {
  const bool damaged = status.IsCorruption();
  return Error::Make(Code::kFailed, damaged ? kLedgerDamaged : kLedgerFailed,
                     doing + ": " + status.ToString());
}

}  // namespace

// Everything that can be judged without writing comes first: opening for writing gives up what cannot be read.
Result<std::unique_ptr<RocksDbStore>> RocksDbStore::Open(const std::string& folder, const LogLine& line) {
  if (auto there = CheckThere(folder); !there) return there.error();
  if (auto kept = KeepPrivate(folder); !kept) return kept.error();
  auto mark = ReadMarkIn(folder);
  if (!mark) return mark.error();
  {
    const auto lock = FolderLock::Take(folder);
    if (!lock) return lock.error();
    const auto seen = LookInto(folder, kRecovery);
    if (!seen) return seen.error();
    if (auto fits = CheckAgainst(*mark, seen->id, seen->last, folder); !fits) return fits.error();
  }
  auto store = OpenUnmarked(folder, line);
  if (!store) return store;
  if (auto marked = (*store)->KeepMark(folder, std::move(*mark)); !marked) return marked.error();
  return store;
}

Result<std::unique_ptr<RocksDbStore>> RocksDbStore::OpenUnmarked(const std::string& folder,
                                                                 const LogLine& line) {
  return Opened(DatabaseOptions(line), folder);
}

Result<std::unique_ptr<RocksDbStore>> RocksDbStore::Make(const std::string& folder) {
  auto options = DatabaseOptions();
  options.create_if_missing = options.error_if_exists = true;
  auto store = Opened(options, folder);
  if (!store) return store;
  if (auto made = MakePlaces(**store); !made) return made.error();
  if (auto made = MakeDayMarks(**store); !made) return made.error();
  return store;
}

// LookInto has seen that no family is missing but those that came later.
Result<std::unique_ptr<RocksDbStore>> RocksDbStore::Opened(rocksdb::DBOptions options,
                                                           const std::string& folder) {
  std::unique_ptr<RocksDbStore> store(new RocksDbStore);
  options.create_missing_column_families = true;
  rocksdb::DB* db = nullptr;
  const auto opened = rocksdb::DB::Open(options, folder, ColumnDescriptors(), &store->handles_, &db);
  if (!opened.ok()) return FromOpen(opened, folder);
  store->db_.reset(db);
  if (auto format = store->CheckFormat(true); !format) return format.error();
  return store;
}

Status RocksDbStore::KeepMark(const std::string& folder, Mark mark) {
  auto file = MarkFile::Open(MarkIn(folder), std::move(mark));
  if (!file) return file.error();
  mark_ = std::move(*file);
  if (auto raised = mark_->Raise(db_->GetLatestSequenceNumber()); !raised) return raised;
  return mark_->Sync();
}

Result<std::unique_ptr<RocksDbStore>> RocksDbStore::OpenBeside(const std::string& folder,
                                                               const std::string& scratch) {
  if (auto there = CheckThere(folder); !there) return there.error();
  const auto mark = ReadMarkIn(folder);  // before the database, which goes on meanwhile
  if (!mark) return mark.error();
  const auto columns = CheckColumns(folder);
  if (!columns) return columns.error();
  if (auto made = MakePrivateFolder(scratch); !made) return made.error();
  std::unique_ptr<RocksDbStore> store(new RocksDbStore);
  rocksdb::DB* db = nullptr;
  const auto opened =
      rocksdb::DB::OpenAsSecondary(DatabaseOptions(), folder, scratch, *columns, &store->handles_, &db);
  if (!opened.ok()) return FromOpen(opened, folder);
  store->db_.reset(db);
  if (const auto caught_up = db->TryCatchUpWithPrimary(); !caught_up.ok()) return FromOpen(caught_up, folder);
  if (auto format = store->CheckFormat(false); !format) return format.error();
  const auto id = store->Get(Column::kMeta, keys::kId);
  if (!id) return id.error();
  if (auto fits = CheckAgainst(*mark, *id, db->GetLatestSequenceNumber(), folder); !fits) return fits.error();
  return store;
}

RocksDbStore::~RocksDbStore() {
  for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  if (db_) db_->Close();
}

Status RocksDbStore::CheckFormat(bool may_write) {
  auto format = Get(Column::kMeta, keys::kFormat);
  if (!format) return format.error();
  if (*format) {
    const std::string& stored = **format;
    if (stored.size() != 8)
      return Error::Make(Code::kFailed, kLedgerDamaged, "the format number is malformed");
    if (Fixed64(stored) > kLedgerFormat) return Newer(db_->GetName());
    if (Fixed64(stored) == kLedgerFormat || !may_write) return Done{};
  } else if (!may_write) {
    return Error::Make(Code::kFailed, kLedgerDamaged, "the ledger has no format number");
  }
  // An older registry must be refused at the door, not fail at the first record with a field it does not know.
  OrderedWrites writes;
  if (auto dropped = DropLeftOver(*this, writes); !dropped) return dropped;
  writes.Put(Column::kMeta, keys::kFormat, writes.Keep(keys::OfSeq(kLedgerFormat)));
  return Write(writes, true);
}

Result<Store::Stored> RocksDbStore::Get(Column column, const std::string& key) const {
  std::string value;
  const auto found = db_->Get(rocksdb::ReadOptions(), handle(column), key, &value);
  if (found.IsNotFound()) return std::optional<std::string>();
  if (!found.ok()) return FromStatus(found, "reading " + handle(column)->GetName());
  return std::optional<std::string>(std::move(value));
}

Status RocksDbStore::Scan(Column column, const std::string& from, const std::string& to, const Visitor& visit,
                          std::size_t limit) const {
  rocksdb::ReadOptions options;
  const rocksdb::Slice bound(to);
  if (!to.empty()) options.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, handle(column)));
  if (limit == 0) return Done{};
  for (it->Seek(from); it->Valid(); it->Next()) {
    const auto more = visit(it->key().ToStringView(), it->value().ToStringView());
    if (!more) return more.error();
    if (!*more || --limit == 0) return Done{};
  }
  if (!it->status().ok()) return FromStatus(it->status(), "reading " + handle(column)->GetName());
  return Done{};
}

Result<std::optional<std::pair<std::string, std::string>>> RocksDbStore::Last(Column column) const {
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions(), handle(column)));
  it->SeekToLast();
  if (!it->status().ok()) return FromStatus(it->status(), "reading " + handle(column)->GetName());
  std::optional<std::pair<std::string, std::string>> last;
  if (it->Valid()) last.emplace(it->key().ToString(), it->value().ToString());
  return last;
}

Status RocksDbStore::Write(OrderedWrites& writes, bool sync) {
  batch_.Clear();
  for (const OrderedWrites::Write& write : writes.InOrder()) {
    auto* const family = handle(write.column);
    if (write.act == OrderedWrites::Act::kPut) {
      batch_.Put(family, write.key, write.value);
    } else if (write.act == OrderedWrites::Act::kDelete) {
      batch_.Delete(family, write.key);
    } else {
      batch_.DeleteRange(family, write.key, write.value);
    }
  }
  writes.Clear();
  return Write(batch_, sync);
}

Status RocksDbStore::Write(rocksdb::WriteBatch& batch, bool sync) {
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);  // this thread counts every comparison otherwise
  rocksdb::WriteOptions options;
  options.sync = sync;
  const auto written = db_->Write(options, &batch);
  if (!written.ok()) return FromStatus(written, "committing");
  if (sync && mark_) return mark_->Raise(db_->GetLatestSequenceNumber());
  return Done{};
}

Status RocksDbStore::Flush() {
  const auto flushed = db_->Flush({}, handles_);
  if (!flushed.ok()) return FromStatus(flushed, "flushing");
  return Done{};
}

}  // namespace registry::ledger
