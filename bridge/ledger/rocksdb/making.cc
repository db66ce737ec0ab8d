// What makes or mends a ledger, always by the hand of an operator.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "bridge/ledger/keyed/day_marks.h"
#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/keyed/places.h"
#include "bridge/ledger/private_folder.h"
#include "bridge/ledger/rocksdb/folder.h"
#include "bridge/ledger/rocksdb/open.h"
#include "bridge/ledger/rocksdb/options.h"
#include "bridge/ledger/rocksdb/store.h"
#include "bridge/ledger/rocksdb/torn_tail.h"

namespace registry::ledger {
namespace {

namespace fs = std::filesystem;

Error Refuse(const std::string& sentence) { return Error::Make(Code::kFailed, kLedgerFailed, sentence); }
Error RefuseErrno(const std::string& path) { return Refuse(path + ": " + std::strerror(errno)); }

// Files of RocksDB have the mode that the process gives them.
class OnlyOurs {
 public:
  OnlyOurs() : before_(::umask(077)) {}
  ~OnlyOurs() { ::umask(before_); }
  OnlyOurs(const OnlyOurs&) = delete;
  OnlyOurs& operator=(const OnlyOurs&) = delete;

 private:
  const mode_t before_;
};

Status PutId(RocksDbStore& store, const std::string& id) {
  OrderedWrites writes;
  writes.Put(Column::kMeta, keys::kId, id);
  if (auto written = store.Write(writes, true); !written) return written;
  return store.Flush();
}

// Closed before the mark is written: a mark is the last thing a ledger gets.
Result<Mark> MarkAnew(Result<std::unique_ptr<RocksDbStore>> store, std::optional<std::string> id) {
  if (!store) return store.error();
  Mark mark{id ? *id : NewLedgerId(), 0};
  if (auto put = PutId(**store, mark.id); !put) return put.error();
  mark.synced = (*store)->LastWrite();
  return mark;
}

Status CutAt(const std::string& file, std::size_t size) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return RefuseErrno(file);
  const bool cut = ::ftruncate(fd, static_cast<off_t>(size)) == 0 && ::fsync(fd) == 0;
  const Error failed = RefuseErrno(file);
  ::close(fd);
  return cut ? Status(Done{}) : Status(failed);
}

Status KeepAside(const std::string& file, const std::string& octets) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return RefuseErrno(file);
  const bool kept =
      ::write(fd, octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()) && ::fsync(fd) == 0;
  const Error failed = RefuseErrno(file);
  ::close(fd);
  return kept ? Status(Done{}) : Status(failed);
}

std::string WithoutZeros(std::string text) {
  text.resize(text.find_last_not_of('\0') + 1);
  return text;
}

}  // namespace

Status CreateRocksDbLedger(const std::string& folder) {
  if (auto made = MakePrivateFolder(folder); !made) return made;
  std::error_code failed;
  if (!fs::is_empty(folder, failed)) {
    return Refuse("a ledger is made in an empty folder only, which " + folder + " is not");
  }
  fs::permissions(folder, fs::perms::owner_all, failed);  // nothing was in it that others could have seen
  if (auto closed = CheckPrivate(folder); !closed) return closed;
  const OnlyOurs umask;
  const auto mark = MarkAnew(RocksDbStore::Make(folder), std::nullopt);
  return mark ? WriteMark(MarkIn(folder), *mark) : Status(mark.error());
}

Result<std::string> AdoptRocksDbLedger(const std::string& folder, bool accept_loss) {
  if (auto there = CheckThere(folder); !there) return there.error();
  if (auto kept = KeepPrivate(folder); !kept) return kept.error();
  std::optional<Seen> seen;
  {
    const auto lock = FolderLock::Take(folder);
    if (!lock) return lock.error();
    auto looked = LookInto(folder, kRecovery);
    if (!looked) return looked.error();
    seen = std::move(*looked);
  }
  if (!seen->has_format)
    return Refuse("the database in " + folder + " has no format number: it is no ledger");
  const auto before = ReadMarkIn(folder);
  if (!before && before.error().symbol != kLedgerUnmarked) return before.error();
  if (before) {
    const auto fits = CheckAgainst(*before, seen->id, seen->last, folder);
    if (fits) return "the ledger in " + folder + " has its mark already; nothing was done";
    if (!accept_loss) return fits.error();
  }
  const OnlyOurs umask;
  const auto mark = MarkAnew(RocksDbStore::OpenUnmarked(folder, {}), seen->id);
  if (!mark) return mark.error();
  if (auto written = WriteMark(MarkIn(folder), *mark); !written) return written.error();
  std::string said = "the ledger in " + folder + " has a mark, id " + mark->id;
  if (before) {
    said += "; writes " + std::to_string(seen->last + 1) + " to " + std::to_string(before->synced) +
            ", which were acknowledged, are given up";
  }
  return said;
}

Result<std::string> DropTornTail(const std::string& folder, bool accept_loss) {
  if (auto there = CheckThere(folder); !there) return there.error();
  if (auto kept = KeepPrivate(folder); !kept) return kept.error();
  const auto lock = FolderLock::Take(folder);
  if (!lock) return lock.error();
  const auto log = NewestLog(folder);
  if (!log) return Refuse("there is no log in " + folder + ": nothing is torn");
  const std::string octets = LogContents(*log);
  const LogEnd end = FindLogEnd(octets);
  if (!end.damaged) return Refuse("no record of " + *log + " is torn; nothing was done");
  const std::string where = *log + " from octet " + std::to_string(end.whole) + " on";
  if (end.readable_behind) {
    return Refuse(where + " is damaged, and whole records follow: that is no torn tail. Restore a backup");
  }
  const auto seen = LookInto(folder, rocksdb::WALRecoveryMode::kPointInTimeRecovery);
  if (!seen) return seen.error();
  auto mark = ReadMarkIn(folder);
  if (!mark && mark.error().symbol != kLedgerUnmarked) return mark.error();
  const bool loss = mark && seen->last < mark->synced;
  if (loss && !accept_loss) {
    return Refuse(where + " holds what was acknowledged: the last whole write is number " +
                  std::to_string(seen->last) + ", and number " + std::to_string(mark->synced) +
                  " was synced. Restore a backup, or give it up with --accept-loss");
  }
  const std::string torn = WithoutZeros(octets.substr(end.whole)), aside = *log + ".torn";
  if (auto kept = KeepAside(aside, torn); !kept) return kept.error();
  if (auto cut = CutAt(*log, end.whole); !cut) return cut.error();
  if (loss) {
    mark->synced = seen->last;
    if (auto written = WriteMark(MarkIn(folder), *mark); !written) return written.error();
  }
  return "dropped " + where + ": one record, of which " + std::to_string(torn.size()) +
         " octets are there, kept in " + aside + ". The last write is now number " +
         std::to_string(seen->last) +
         (loss ? "; what was acknowledged behind it is given up"
               : "; nothing known to be acknowledged was behind it");
}

Result<std::string> ReindexRocksDbLedger(const std::string& folder) {
  const OnlyOurs umask;
  auto store = RocksDbStore::Open(folder, {});
  if (!store) return store.error();
  const auto devices = MakePlaces(**store);
  if (!devices) return devices.error();
  const auto marks = MakeDayMarks(**store);
  if (!marks) return marks.error();
  return "the index of " + std::to_string(*devices) + " devices in " + folder +
         " was made anew, and the days of " + std::to_string(*marks) + " event marks";
}

Status CheckRocksDbFolder(const std::string& folder) {
  if (auto there = CheckThere(folder); !there) return there;
  if (auto closed = CheckPrivate(folder); !closed) return closed;
  const auto mark = ReadMarkIn(folder);
  return mark ? Status(Done{}) : Status(mark.error());
}

}  // namespace registry::ledger
