// bridge/ledger/rocksdb/store.h: the opened database: column families, point reads, ordered reads, one write.
// Owns the database. Private to this folder.
// Errors: RocksDB's Status ends here and becomes an Error: kLedgerFailed, kLedgerDamaged, kLedgerNewer,
//   kLedgerInUse.
// Threads: reads from any thread; Write from the committer only.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <functional>
#include <memory>

#include "bridge/ledger/ledger.h"

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
};

// Of the folder as a whole; a folder of a higher number is refused, one of a lower number raised (FORMAT.md).
inline constexpr std::uint64_t kFolderFormat = 2;

class Store {
 public:
  // Creates the folder (mode 0700: it holds private identifiers) when it does not exist.
  static Result<std::unique_ptr<Store>> Open(const std::string& folder, bool create);
  static Result<std::unique_ptr<Store>> OpenBeside(const std::string& folder, const std::string& scratch);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  Result<std::optional<std::string>> Get(Column column, const std::string& key) const;
  // Calls visit(key, value) for keys in [from, to) in order until it answers false or fails; empty `to`: to
  // the end.
  using Visitor = std::function<Result<bool>(std::string_view key, std::string_view value)>;
  Status Scan(Column column, const std::string& from, const std::string& to, const Visitor& visit) const;
  Result<std::optional<std::pair<std::string, std::string>>> Last(Column column) const;

  rocksdb::ColumnFamilyHandle* handle(Column column) const {
    return handles_[static_cast<std::size_t>(column) + 1];
  }
  Status Write(rocksdb::WriteBatch& batch, bool sync);

 private:
  Store() = default;
  Status CheckFormat(bool may_write);

  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;  // RocksDB's "default" first
};

}  // namespace registry::ledger
