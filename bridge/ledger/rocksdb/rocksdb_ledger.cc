// The RocksDB backend put together: a ledger over a RocksDbStore.
#include "bridge/ledger/keyed/keyed_ledger.h"
#include "bridge/ledger/rocksdb/backup.h"
#include "bridge/ledger/rocksdb/open.h"
#include "bridge/ledger/rocksdb/store.h"

namespace registry::ledger {

Result<std::unique_ptr<Ledger>> OpenRocksDbLedger(const RocksDbOptions& options) {
  auto store = RocksDbStore::Open(options.folder, options.log);
  if (!store) return store.error();
  return KeyedLedger::Open(std::move(*store), {options.waiting_commits_max, options.batch_max}, options.log);
}

Status MakeCheckpoint(const Ledger& opened, const std::string& to) {
  const auto* const ledger = dynamic_cast<const KeyedLedger*>(&opened);
  const auto* const store = ledger != nullptr ? dynamic_cast<const RocksDbStore*>(&ledger->store()) : nullptr;
  if (store != nullptr) return store->Checkpoint(to);
  return Error::Make(Code::kFailed, kLedgerFailed, "only a RocksDB ledger makes checkpoints");
}

Result<std::unique_ptr<LedgerReader>> OpenRocksDbReader(const std::string& folder,
                                                        const std::string& scratch) {
  auto store = RocksDbStore::OpenBeside(folder, scratch);
  if (!store) return store.error();
  return KeyedLedger::OpenReader(std::move(*store));
}

}  // namespace registry::ledger
