#include "bridge/ledger/rocksdb/mark.h"

#include "bridge/ledger/ledger.h"

namespace registry::ledger {

std::string MarkIn(const std::string& folder) { return folder + "/LEDGER"; }

Result<Mark> ReadMarkIn(const std::string& folder) {
  auto mark = ReadMark(MarkIn(folder));
  if (!mark) {
    Error error = mark.error();
    if (error.symbol == kLedgerDamaged)
      error.message +=
          ". Restore a backup, or delete this file and run: registryctl ledger adopt --ledger " + folder;
    return error;
  }
  if (*mark) return **std::move(mark);
  return Error::Make(
      Code::kFailed, kLedgerUnmarked,
      "the database in " + folder +
          " has no file LEDGER, the mark of a ledger. If it is the ledger of a registry from before "
          "there were marks, stop that and run: registryctl ledger adopt --ledger " +
          folder + ". Otherwise ledger.folder names the wrong folder, or a part of it is missing");
}

}  // namespace registry::ledger
