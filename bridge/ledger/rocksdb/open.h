// bridge/ledger/rocksdb/open.h: the RocksDB backend of the ledger. No RocksDB type leaves this folder.
// Owns: a database folder and one committer thread, which takes whatever changesets have piled up, applies
//   them in order against an overlay and writes them as one synced WriteBatch. The destructor commits what was
//   accepted and stops the thread.
// Errors: a folder in use, of a newer format or damaged is refused with a sentence that names it.
#pragma once

#include <memory>
#include <string>

#include "bridge/ledger/ledger.h"

namespace registry::ledger {

struct RocksDbOptions {
  std::string folder;
  std::size_t waiting_commits_max = 4096;  // Commit blocks above
  std::size_t batch_max = 256;             // changesets per synced write
  bool create = true;                      // false: where no ledger is, none is made
};

Result<std::unique_ptr<Ledger>> OpenRocksDbLedger(const RocksDbOptions& options);

// A reader beside a running registry (RocksDB secondary instance) or over a stopped one; never writes to `folder`.
// `scratch` holds the secondary's own files. Refresh by opening again.
Result<std::unique_ptr<LedgerReader>> OpenRocksDbReader(const std::string& folder,
                                                        const std::string& scratch);

// Whether every file the folder's manifest names is there and whole, and every block passes its checksum: what a reader
// does not notice of records it is not asked for. Reads everything; beside a running registry too. Writes nothing.
// Errors: kLedgerDamaged, which names the first file in question.
Status CheckRocksDbFiles(const std::string& folder);

}  // namespace registry::ledger
