// bridge/ledger/rocksdb/store.h: the opened database: column families, point reads, ordered reads, one write.
// Owns the database. Private to this folder.
// Errors: RocksDB's Status ends here and becomes an Error: kLedgerFailed, kLedgerDamaged, kLedgerNewer,
//   kLedgerInUse, kLedgerMissing, kLedgerUnmarked.
// Threads: reads from any thread; Write from the committer only.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <functional>
#include <memory>

#include "bridge/ledger/ledger.h"
#include "bridge/ledger/rocksdb/info_log.h"
#include "bridge/ledger/rocksdb/mark.h"

namespace registry::ledger {

// In the order of kColumnNames.
enum class Column : std::size_t {
  kDevices,
  kUnique,
  kEndpoints,
  kEvents,
  kJobs,
  kHistory,
  kHistoryByDevice,
  kOutbox,
  kFeed,
  kFeedState,
  kZone,
  kRevocations,
  kDeadLetters,
  kSinks,
  kMeta,
  kPlaces,    // since format 3: a reader of an older folder has none
  kOrders,    // as places
  kDayMarks,  // since format 4
};

// Of the folder as a whole; a folder of a higher number is refused, one of a lower number raised (FORMAT.md).
inline constexpr std::uint64_t kFolderFormat = 5;
// Of one batch while all records of a column family are made again: a bound on memory.
inline constexpr int kWritesMax = 20'000;

class Store {
 public:
  // A marked ledger (mark.h) that holds what its mark says; never makes one.
  static Result<std::unique_ptr<Store>> Open(const std::string& folder, const LogLine& line);
  // For making.cc alone: a database of ours whatever its mark says, and a new one in an empty folder.
  static Result<std::unique_ptr<Store>> OpenUnmarked(const std::string& folder, const LogLine& line);
  static Result<std::unique_ptr<Store>> Make(const std::string& folder);
  static Result<std::unique_ptr<Store>> OpenBeside(const std::string& folder, const std::string& scratch);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  Result<std::optional<std::string>> Get(Column column, const std::string& key) const;
  Result<bool> Holds(Column column, const std::string& key) const;  // without a copy of what is there
  // Calls visit(key, value) for keys in [from, to) in order until it answers false or fails; empty `to`: to
  // the end.
  using Visitor = std::function<Result<bool>(std::string_view key, std::string_view value)>;
  Status Scan(Column column, const std::string& from, const std::string& to, const Visitor& visit) const;
  Result<std::optional<std::pair<std::string, std::string>>> Last(Column column) const;

  // False: a reader beside looks at a folder from before this family.
  bool Has(Column column) const { return static_cast<std::size_t>(column) + 1 < handles_.size(); }
  rocksdb::ColumnFamilyHandle* handle(Column column) const {
    return handles_[static_cast<std::size_t>(column) + 1];
  }
  Status Write(rocksdb::WriteBatch& batch, bool sync);
  Status Flush();                                  // everything out of the logs
  Status Checkpoint(const std::string& to) const;  // backup.h; of a marked ledger
  std::uint64_t LastWrite() const { return db_->GetLatestSequenceNumber(); }

 private:
  Store() = default;
  static Result<std::unique_ptr<Store>> Opened(rocksdb::DBOptions options, const std::string& folder);
  Status CheckFormat(bool may_write);
  Status KeepMark(const std::string& folder, Mark mark);

  std::unique_ptr<MarkFile> mark_;  // of a writer; goes after the database
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;  // RocksDB's "default" first
};

}  // namespace registry::ledger
