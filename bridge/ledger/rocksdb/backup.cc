#include "bridge/ledger/rocksdb/backup.h"

#include <rocksdb/utilities/checkpoint.h>

#include <filesystem>
#include <limits>

#include "bridge/ledger/private_folder.h"
#include "bridge/ledger/record_codec.h"
#include "bridge/ledger/rocksdb/folder.h"
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

}  // namespace

// Nothing is flushed (the size that no log reaches): a flush would be as many small tables as there are families, and a
// checkpoint of several families is one moment only with their logs.
Status RocksDbStore::Checkpoint(const std::string& to) const {
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
  return WriteMark(MarkIn(to), mark);
}

Status CopyStoppedLedger(const std::string& folder, const std::string& to,
                         const std::function<Status()>& beside) {
  if (auto there = CheckThere(folder); !there) return there;
  if (auto kept = CheckPrivate(folder); !kept) return kept;
  const auto mark = ReadMarkIn(folder);
  if (!mark) return mark.error();
  const auto lock = FolderLock::Take(folder);
  if (!lock) return lock.error();
  const auto seen = LookInto(folder, kRecovery);
  if (!seen) return seen.error();
  if (auto fits = CheckAgainst(*mark, seen->id, seen->last, folder); !fits) return fits;
  if (auto made = MakePrivateFolder(to); !made) return made;
  if (auto copied = CopyFiles(folder, to); !copied || !beside) return copied;
  return beside();
}

Result<LedgerPoint> PointOf(const std::string& folder) {
  if (auto there = CheckThere(folder); !there) return there.error();
  const auto mark = ReadMarkIn(folder);
  if (!mark) return mark.error();
  const auto seen = LookInto(folder, kRecovery);
  if (!seen) return seen.error();
  if (auto fits = CheckAgainst(*mark, seen->id, seen->last, folder); !fits) return fits.error();
  LedgerPoint point{mark->id, seen->format, seen->last, 0, {}};
  if (point.format > kLedgerFormat) return Newer(folder);
  if (seen->head.empty()) return point;
  const auto head = Decode<Head>(seen->head);
  if (!head) return head.error();
  point.history = head->history;
  point.chain = head->chain;
  return point;
}

Result<Stepped> StepNumbers(const std::string& folder) {
  auto opened = RocksDbStore::Open(folder, {});
  if (!opened) return opened.error();
  return StepNumbers(**opened);
}

}  // namespace registry::ledger
