#include "bridge/ledger/rocksdb/folder.h"

#include <algorithm>
#include <filesystem>

#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/ledger.h"
#include "bridge/ledger/rocksdb/options.h"
#include "bridge/ledger/rocksdb/torn_tail.h"

namespace registry::ledger {
namespace {

namespace fs = std::filesystem;

Error Damaged(const std::string& sentence) { return Error::Make(Code::kFailed, kLedgerDamaged, sentence); }

bool IsDatabaseFile(const std::string& name) {
  return name == "CURRENT" || name.starts_with("MANIFEST-") || name.ends_with(".sst") ||
         name.ends_with(".log");
}

bool Holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

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
                     "the ledger in " + folder + " cannot be opened: " + text);
}

Error Newer(const std::string& folder) {
  return Error::Make(Code::kFailed, kLedgerNewer,
                     "the ledger in " + folder + " was written by a newer version of the registry");
}

// Any database file counts: a folder that lost its CURRENT is damaged, not empty. One that may not be looked into says
// nothing about what is there.
Status CheckThere(const std::string& folder) {
  std::error_code failed;
  const bool there = fs::is_directory(folder, failed);
  if (failed == std::errc::no_such_file_or_directory) failed.clear();
  if (there && !failed) {
    for (const auto& file : fs::directory_iterator(folder, failed)) {
      if (IsDatabaseFile(file.path().filename())) return Done{};
    }
  }
  if (failed) {
    return Error::Make(Code::kFailed, kLedgerFailed,
                       "cannot look into ledger folder " + folder + ": " + failed.message());
  }
  return Error::Make(
      Code::kFailed, kLedgerMissing,
      "there is no ledger in " + folder +
          ": mount its volume or restore a backup. Only for a new registry, which knows no device, run: "
          "registryctl ledger create --ledger " +
          folder);
}

Result<std::vector<rocksdb::ColumnFamilyDescriptor>> CheckColumns(const std::string& folder) {
  std::vector<std::string> present, ours;
  const auto listed = rocksdb::DB::ListColumnFamilies(DatabaseOptions(), folder, &present);
  if (!listed.ok()) return FromOpen(listed, folder);
  for (const auto& column : ColumnDescriptors()) ours.push_back(column.name);
  // A family we do not know holds records we would not keep in step.
  const bool all_known =
      std::all_of(present.begin(), present.end(), [&](const std::string& name) { return Holds(ours, name); });
  const auto first = FirstColumns();
  const bool all_there =
      std::all_of(first.begin(), first.end(), [&](const std::string& name) { return Holds(present, name); });
  if (all_there && !all_known) return Newer(folder);
  if (all_there) return ColumnDescriptors(present);
  return Error::Make(
      Code::kFailed, kLedgerUnmarked,
      "the database in " + folder +
          " is not a ledger: it lacks families of records. ledger.folder names the wrong folder");
}

Result<std::unique_ptr<FolderLock>> FolderLock::Take(const std::string& folder) {
  rocksdb::FileLock* lock = nullptr;
  const auto locked = rocksdb::Env::Default()->LockFile(folder + "/LOCK", &lock);
  if (!locked.ok()) return FromOpen(locked, folder);
  return std::unique_ptr<FolderLock>(new FolderLock(lock));
}

FolderLock::~FolderLock() { rocksdb::Env::Default()->UnlockFile(lock_); }

Result<Seen> LookInto(const std::string& folder, rocksdb::WALRecoveryMode mode) {
  auto options = DatabaseOptions();
  options.wal_recovery_mode = mode;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const auto checked = CheckColumns(folder);
  if (!checked) return checked.error();
  const auto& columns = *checked;
  const auto status = rocksdb::DB::OpenForReadOnly(options, folder, columns, &handles, &opened);
  if (!status.ok()) {
    Error error = FromOpen(status, folder);
    error.message += HintAtTornTail(folder);
    return error;
  }
  const std::unique_ptr<rocksdb::DB> db(opened);
  Seen seen;
  seen.last = db->GetLatestSequenceNumber();
  std::string value;
  for (std::size_t i = 0; i < handles.size(); ++i) {
    if (columns[i].name == "meta") {
      if (db->Get({}, handles[i], keys::kId, &value).ok()) seen.id = value;
      seen.has_format = db->Get({}, handles[i], keys::kFormat, &value).ok();
      if (seen.has_format && value.size() == 8) seen.format = Fixed64(value);
      if (db->Get({}, handles[i], keys::kHead, &value).ok()) seen.head = value;
    }
    db->DestroyColumnFamilyHandle(handles[i]);
  }
  return seen;
}

Status CheckAgainst(const Mark& mark, const std::optional<std::string>& id, std::uint64_t last,
                    const std::string& folder) {
  if (last < mark.synced) {
    return Damaged("the ledger in " + folder + " has lost what it acknowledged: its last write is number " +
                   std::to_string(last) + ", and the file LEDGER says that number " +
                   std::to_string(mark.synced) +
                   " was synced. A .log file is missing, or shorter than it was. Bring it back or restore a "
                   "backup; to go on "
                   "without what is lost: registryctl ledger adopt --accept-loss --ledger " +
                   folder);
  }
  if (id == mark.id) return Done{};
  return Damaged("the file LEDGER in " + folder +
                 " is that of another ledger than the database beside it: restore a backup");
}

}  // namespace registry::ledger
