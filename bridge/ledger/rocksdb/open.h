// bridge/ledger/rocksdb/open.h: the RocksDB backend of the ledger. No RocksDB type leaves this folder.
// Owns: a database folder and one committer thread, which takes whatever changesets have piled up, applies
//   them in order against an overlay and writes them as one synced WriteBatch. The destructor commits what was
//   accepted and stops the thread.
// Errors: a folder in use, of a newer format, damaged, empty or without a ledger's mark is refused with a sentence that
//   names it and says what to do (kLedgerInUse, kLedgerNewer, kLedgerDamaged, kLedgerMissing, kLedgerUnmarked,
//   kFolderPermissions). Only CreateRocksDbLedger makes a ledger: an empty one where there was another takes every device
//   out of DNS. What was acknowledged and is not there any more is never passed over without being asked for.
#pragma once

#include <memory>
#include <string>

#include "bridge/ledger/ledger.h"
#include "bridge/log_line.h"

namespace registry::ledger {

struct RocksDbOptions {
  std::string folder;
  std::size_t waiting_commits_max = 4096;  // Commit blocks above
  std::size_t batch_max = 256;             // changesets per synced write
  LogLine log{};                           // RocksDB's warnings and errors, too
};

// A new ledger with its mark in a folder that is not there or empty; durable on return.
Status CreateRocksDbLedger(const std::string& folder);

// Gives the database a mark, if it is a ledger without one (it was written before there were marks); with `accept_loss`
// also to one that holds less than its mark says was acknowledged. A sentence that says what was done.
Result<std::string> AdoptRocksDbLedger(const std::string& folder, bool accept_loss);

// Cuts off the last record of the newest log if it is there in part only, and keeps its octets beside the log in a file
// `<log>.torn`. Refused when a whole record follows, when nothing is torn, and, unless `accept_loss`, when what was synced
// would go with it. A sentence that says what was dropped.
Result<std::string> DropTornTail(const std::string& folder, bool accept_loss);

// Makes the index of devices (FORMAT.md, `places`) anew from the devices, and `day_marks` from the event marks. A sentence
// that says so.
// Errors: those of opening for writing.
Result<std::string> ReindexRocksDbLedger(const std::string& folder);

// What can be said of a ledger's folder without opening its database: is one there, has it its mark, is it private.
Status CheckRocksDbFolder(const std::string& folder);

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
