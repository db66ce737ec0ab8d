#include <memory>

#include "bridge/ledger/ledger.h"
#include "bridge/ledger/rocksdb/open.h"
#include "bridge/ledger/rocksdb/options.h"

namespace registry::ledger {
namespace {

// Beside a running registry a file may go between the reading of the manifest and its opening.
constexpr int kTries = 3;

rocksdb::Status CheckOnce(const std::string& folder) {
  const auto options = DatabaseOptions();
  std::vector<std::string> present;
  if (auto listed = rocksdb::DB::ListColumnFamilies(options, folder, &present); !listed.ok()) return listed;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  // Not as a secondary, which makes do with the newest state whose files are all there. This opens every file, and
  // keeps it open: what a running registry deletes meanwhile can still be read to its end.
  auto status = rocksdb::DB::OpenForReadOnly(options, folder, ColumnDescriptors(present), &handles, &opened);
  const std::unique_ptr<rocksdb::DB> db(opened);
  if (!status.ok()) return status;
  status = db->VerifyChecksum();
  for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
  return status;
}

// RocksDB names a missing file as LevelDB did, where it looked last.
std::string WithOurNames(std::string text) {
  for (auto at = text.find(".ldb"); at != std::string::npos; at = text.find(".ldb", at))
    text.replace(at, 4, ".sst");
  return text;
}

}  // namespace

Status CheckRocksDbFiles(const std::string& folder) {
  rocksdb::Status status;
  for (int i = 0; i < kTries; ++i) {
    status = CheckOnce(folder);
    if (status.ok()) return Done{};
  }
  return Error::Make(Code::kFailed, kLedgerDamaged,
                     "files of " + folder + ": " + WithOurNames(status.ToString()));
}

}  // namespace registry::ledger
