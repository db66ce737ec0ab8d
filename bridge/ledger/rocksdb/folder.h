// bridge/ledger/rocksdb/folder.h: what can be said of a ledger's folder before its database is opened for writing, which
// would change it: a log that is missing for a moment would be given up for good.
// Private to this folder. Plain functions, any thread; nothing here writes.
#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/ledger/rocksdb/mark.h"

namespace registry::ledger {

// RocksDB's Status becomes ours: kLedgerInUse, kLedgerDamaged or kLedgerFailed.
Error FromOpen(const rocksdb::Status& status, const std::string& folder);
Error Newer(const std::string& folder);  // kLedgerNewer

// kLedgerMissing: no file of a database is in the folder.
Status CheckThere(const std::string& folder);
// The families that are there, ours all of them. kLedgerNewer: there are some we do not know; kLedgerUnmarked: those
// that every ledger has are not there.
Result<std::vector<rocksdb::ColumnFamilyDescriptor>> CheckColumns(const std::string& folder);
// kLedgerInUse while another process has the ledger open for writing. The lock is held as long as the result lives.
class FolderLock {
 public:
  static Result<std::unique_ptr<FolderLock>> Take(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(rocksdb::FileLock* lock) : lock_(lock) {}
  rocksdb::FileLock* const lock_;
};

struct Seen {
  std::uint64_t last = 0;  // RocksDB's sequence number of the last write that can be read
  std::optional<std::string> id;
  bool has_format = false;
  std::uint64_t format = 0;
  std::string head;  // the record, where there is one
};
// Reads every log there is, under the folder's lock.
Result<Seen> LookInto(const std::string& folder, rocksdb::WALRecoveryMode mode);

// Whether what is there is what the mark says: kLedgerDamaged, with what to do.
Status CheckAgainst(const Mark& mark, const std::optional<std::string>& id, std::uint64_t last,
                    const std::string& folder);

}  // namespace registry::ledger
