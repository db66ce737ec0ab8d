// bridge/ledger/mark.h: a ledger's mark, a small file beside it (FORMAT.md): which ledger it is, and up to which of its
// numbers it has acknowledged writes. A ledger that holds less, or is another one, is not the ledger that was acknowledged.
// The number is written in place after each acknowledged write and synced itself at open and close only: what a power cut
// leaves is an older number, which is true too.
// Owns: the open file. Threads: one at a time.
// Errors: kLedgerDamaged (it is not what was written), kLedgerFailed (the disk).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "schemas/base/result.h"

namespace registry::ledger {

struct Mark {
  std::string id;  // 32 hex digits, the same as under `id` in the database
  std::uint64_t synced = 0;
};

std::string NewLedgerId();
// None: there is no such file.
Result<std::optional<Mark>> ReadMark(const std::string& path);
// Replaces the file or makes it; durable on return. It belongs to the owner of its folder when root makes it.
Status WriteMark(const std::string& path, const Mark& mark);

// What the mark knows of, or the writer before said that it knew (`acked`), and the ledger has not. Empty: nothing.
std::string MissingOf(const std::optional<Mark>& mark, const Mark& there, std::uint64_t acked);

class MarkFile {
 public:
  static Result<std::unique_ptr<MarkFile>> Open(const std::string& path, Mark mark);
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
