#include "bridge/ledger/rocksdb/store.h"

#include <algorithm>
#include <filesystem>

#include "bridge/ledger/rocksdb/keys.h"
#include "bridge/ledger/rocksdb/options.h"

namespace registry::ledger {
namespace {

namespace fs = std::filesystem;

Error FromStatus(const rocksdb::Status& status, const std::string& doing) {
  const bool damaged = status.IsCorruption();
  return Error::Make(Code::kFailed, damaged ? kLedgerDamaged : kLedgerFailed,
                     doing + ": " + status.ToString());
}

Error FromOpen(const rocksdb::Status& status, const std::string& folder) {
  // RocksDB has no code of its own for a lock that is held; the path behind these words may hold any word.
  const std::string text = status.ToString();
  if (text.starts_with("IO error: While lock file: ") ||
      text.starts_with("IO error: lock hold by current process")) {
    return Error::Make(Code::kFailed, kLedgerInUse,
                       "the ledger in " + folder + " is in use by another process");
  }
  // Whatever else keeps a folder from opening is a file that is gone or not what it was.
  return Error::Make(Code::kFailed,
                     status.IsInvalidArgument() || status.IsCorruption() ? kLedgerDamaged : kLedgerFailed,
                     "the ledger in " + folder + " cannot be opened: " + status.ToString());
}

Error Newer(const std::string& folder) {
  return Error::Make(Code::kFailed, kLedgerNewer,
                     "the ledger in " + folder + " was written by a newer version of the registry");
}

// A column family we do not know holds records we would not keep in step.
Status CheckColumns(const rocksdb::DBOptions& options, const std::string& folder) {
  std::vector<std::string> present;
  const auto listed = rocksdb::DB::ListColumnFamilies(options, folder, &present);
  if (!listed.ok()) return FromOpen(listed, folder);
  const auto known = ColumnDescriptors();
  const bool all_known = std::all_of(present.begin(), present.end(), [&](const std::string& name) {
    return std::any_of(known.begin(), known.end(), [&](const auto& column) { return column.name == name; });
  });
  if (!all_known) return Newer(folder);
  return Done{};
}

Status MakeFolder(const std::string& folder) {
  std::error_code failed;
  if (fs::create_directories(folder, failed)) fs::permissions(folder, fs::perms::owner_all, failed);
  if (failed) {
    return Error::Make(Code::kFailed, kLedgerFailed,
                       "cannot create folder " + folder + ": " + failed.message());
  }
  return Done{};
}

Error NoLedger(const std::string& folder) {
  return Error::Make(Code::kFailed, kLedgerFailed, "there is no ledger in " + folder);
}

// A folder that may not be looked into is an error: it says nothing about what is there.
Result<bool> HoldsDatabase(const std::string& folder) {
  std::error_code failed;
  const bool there = fs::is_directory(folder, failed);
  if (!there && (!failed || failed == std::errc::no_such_file_or_directory)) return false;
  // Any database file counts: a folder that lost its CURRENT is refused, not started afresh over what is left.
  if (!failed) {
    for (const auto& file : fs::directory_iterator(folder, failed)) {
      const std::string name = file.path().filename();
      if (name == "CURRENT" || name.starts_with("MANIFEST-") || name.ends_with(".sst")) return true;
    }
  }
  if (!failed) return false;
  return Error::Make(Code::kFailed, kLedgerFailed,
                     "cannot look into ledger folder " + folder + ": " + failed.message());
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(const std::string& folder, bool create) {
  auto options = DatabaseOptions();
  const auto holds = HoldsDatabase(folder);
  if (!holds) return holds.error();
  if (!*holds && !create) return NoLedger(folder);
  if (auto made = MakeFolder(folder); !made) return made.error();
  if (*holds) {
    options.create_if_missing = false;
    if (auto known = CheckColumns(options, folder); !known) return known.error();
  }
  std::unique_ptr<Store> store(new Store);
  rocksdb::DB* db = nullptr;
  const auto opened = rocksdb::DB::Open(options, folder, ColumnDescriptors(), &store->handles_, &db);
  if (!opened.ok()) return FromOpen(opened, folder);
  store->db_.reset(db);
  if (auto format = store->CheckFormat(true); !format) return format.error();
  return store;
}

Result<std::unique_ptr<Store>> Store::OpenBeside(const std::string& folder, const std::string& scratch) {
  const auto holds = HoldsDatabase(folder);
  if (!holds) return holds.error();
  if (!*holds) return NoLedger(folder);
  auto options = DatabaseOptions();
  options.create_if_missing = options.create_missing_column_families = false;
  if (auto known = CheckColumns(options, folder); !known) return known.error();
  if (auto made = MakeFolder(scratch); !made) return made.error();
  std::unique_ptr<Store> store(new Store);
  rocksdb::DB* db = nullptr;
  const auto opened =
      rocksdb::DB::OpenAsSecondary(options, folder, scratch, ColumnDescriptors(), &store->handles_, &db);
  if (!opened.ok()) return FromOpen(opened, folder);
  store->db_.reset(db);
  if (const auto caught_up = db->TryCatchUpWithPrimary(); !caught_up.ok()) return FromOpen(caught_up, folder);
  if (auto format = store->CheckFormat(false); !format) return format.error();
  return store;
}

Store::~Store() {
  for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  if (db_) db_->Close();
}

Status Store::CheckFormat(bool may_write) {
  auto format = Get(Column::kMeta, keys::kFormat);
  if (!format) return format.error();
  if (*format) {
    const std::string& stored = **format;
    if (stored.size() != 8)
      return Error::Make(Code::kFailed, kLedgerDamaged, "the format number is malformed");
    if (Fixed64(stored) > kFolderFormat) return Newer(db_->GetName());
    if (Fixed64(stored) == kFolderFormat || !may_write) return Done{};
  } else if (!may_write) {
    return Error::Make(Code::kFailed, kLedgerDamaged, "the ledger has no format number");
  }
  // An older registry must be refused at the door, not fail at the first record with a field it does not know.
  rocksdb::WriteBatch batch;
  batch.Put(handle(Column::kMeta), keys::kFormat, keys::OfSeq(kFolderFormat));
  return Write(batch, true);
}

Result<std::optional<std::string>> Store::Get(Column column, const std::string& key) const {
  std::string value;
  const auto found = db_->Get(rocksdb::ReadOptions(), handle(column), key, &value);
  if (found.IsNotFound()) return std::optional<std::string>();
  if (!found.ok()) return FromStatus(found, "reading " + handle(column)->GetName());
  return std::optional<std::string>(std::move(value));
}

Status Store::Scan(Column column, const std::string& from, const std::string& to,
                   const Visitor& visit) const {
  rocksdb::ReadOptions options;
  const rocksdb::Slice bound(to);
  if (!to.empty()) options.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, handle(column)));
  for (it->Seek(from); it->Valid(); it->Next()) {
    const auto more = visit(it->key().ToStringView(), it->value().ToStringView());
    if (!more) return more.error();
    if (!*more) return Done{};
  }
  if (!it->status().ok()) return FromStatus(it->status(), "reading " + handle(column)->GetName());
  return Done{};
}

Result<std::optional<std::pair<std::string, std::string>>> Store::Last(Column column) const {
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions(), handle(column)));
  it->SeekToLast();
  if (!it->status().ok()) return FromStatus(it->status(), "reading " + handle(column)->GetName());
  std::optional<std::pair<std::string, std::string>> last;
  if (it->Valid()) last.emplace(it->key().ToString(), it->value().ToString());
  return last;
}

Status Store::Write(rocksdb::WriteBatch& batch, bool sync) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  const auto written = db_->Write(options, &batch);
  if (!written.ok()) return FromStatus(written, "committing");
  return Done{};
}

}  // namespace registry::ledger
