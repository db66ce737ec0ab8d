// bridge/ledger/rocksdb/mark.h: the file LEDGER in a ledger's folder (FORMAT.md). It says that a ledger belongs here, which
// one, and up to which of RocksDB's sequence numbers writes have been synced. A folder without it, or a database that
// holds less than it says, is not the ledger that was acknowledged.
// The number is written in place after each synced write and synced itself at open and close only: what a power cut
// leaves is an older number, which is true too.
// Private to this folder. Owns: the open file. Threads: one at a time.
// Errors: kLedgerUnmarked (there is none), kLedgerDamaged, kLedgerFailed (the disk).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "schemas/base/result.h"

namespace registry::ledger {

struct Mark {
  std::string id;  // 32 hex digits, the same as under `id` in the database
  std::uint64_t synced = 0;
};

std::string NewLedgerId();
Result<Mark> ReadMark(const std::string& folder);
// Replaces the file or makes it; durable on return.
Status WriteMark(const std::string& folder, const Mark& mark);

class MarkFile {
 public:
  static Result<std::unique_ptr<MarkFile>> Open(const std::string& folder, Mark mark);
  ~MarkFile();
  MarkFile(const MarkFile&) = delete;
  MarkFile& operator=(const MarkFile&) = delete;
  Status Raise(std::uint64_t synced);  // survives the process, not yet the power
  Status Sync();
  const std::string& id() const { return mark_.id; }

 private:
  MarkFile(int fd, std::string path, Mark mark) : fd_(fd), path_(std::move(path)), mark_(std::move(mark)) {}

  const int fd_;
  const std::string path_;
  Mark mark_;
};

}  // namespace registry::ledger
