// bridge/ledger/rocksdb/store.h: the opened database: column families, point reads, ordered reads, one write
// (keyed/store.h).
// Owns the database. Private to this folder.
// Errors: RocksDB's Status ends here and becomes an Error: kLedgerFailed, kLedgerDamaged, kLedgerNewer,
//   kLedgerInUse, kLedgerMissing, kLedgerUnmarked.
// Threads: reads from any thread; Write from the committer only.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <functional>
#include <memory>

#include "bridge/ledger/keyed/ordered_writes.h"
#include "bridge/ledger/rocksdb/info_log.h"
#include "bridge/ledger/rocksdb/mark.h"

namespace registry::ledger {

class RocksDbStore final : public Store {
 public:
  // A marked ledger (mark.h) that holds what its mark says; never makes one.
  static Result<std::unique_ptr<RocksDbStore>> Open(const std::string& folder, const LogLine& line);
  // For making.cc alone: a database of ours whatever its mark says, and a new one in an empty folder.
  static Result<std::unique_ptr<RocksDbStore>> OpenUnmarked(const std::string& folder, const LogLine& line);
  static Result<std::unique_ptr<RocksDbStore>> Make(const std::string& folder);
  static Result<std::unique_ptr<RocksDbStore>> OpenBeside(const std::string& folder,
                                                          const std::string& scratch);
  ~RocksDbStore() override;
  RocksDbStore(const RocksDbStore&) = delete;
  RocksDbStore& operator=(const RocksDbStore&) = delete;

  Result<Stored> Get(Column column, const std::string& key) const override;
  using Store::Scan;
  Status Scan(Column column, const std::string& from, const std::string& to, const Visitor& visit,
              std::size_t limit) const override;
  Result<std::optional<std::pair<std::string, std::string>>> Last(Column column) const override;
  bool Has(Column column) const override { return static_cast<std::size_t>(column) + 1 < handles_.size(); }
  Status Write(OrderedWrites& writes, bool sync) override;

  rocksdb::ColumnFamilyHandle* handle(Column column) const {
    return handles_[static_cast<std::size_t>(column) + 1];
  }
  Status Write(rocksdb::WriteBatch& batch, bool sync);
  Status Flush();                                  // everything out of the logs
  Status Checkpoint(const std::string& to) const;  // backup.h; of a marked ledger
  std::uint64_t LastWrite() const { return db_->GetLatestSequenceNumber(); }

 private:
  RocksDbStore() = default;
  static Result<std::unique_ptr<RocksDbStore>> Opened(rocksdb::DBOptions options, const std::string& folder);
  Status CheckFormat(bool may_write);
  Status KeepMark(const std::string& folder, Mark mark);

  std::unique_ptr<MarkFile> mark_;  // of a writer; goes after the database
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;  // RocksDB's "default" first
  rocksdb::WriteBatch batch_;                          // of Write, kept for its memory
};

}  // namespace registry::ledger
