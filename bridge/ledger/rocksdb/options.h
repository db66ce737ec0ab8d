// bridge/ledger/rocksdb/options.h: how RocksDB is set up, each choice with its reason.
// Private to this folder. Plain values.
#pragma once

#include <rocksdb/db.h>

#include <vector>

#include "bridge/ledger/rocksdb/info_log.h"

namespace registry::ledger {

inline constexpr auto kRecovery = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;

// For a database that is there. RocksDB's warnings and errors go to `line`; empty: nowhere.
rocksdb::DBOptions DatabaseOptions(LogLine line = {});
// "default" (empty, RocksDB insists on it) and one per Column, in order.
std::vector<rocksdb::ColumnFamilyDescriptor> ColumnDescriptors();
// Those of them that are in a database of these families, for a reader, which makes none.
std::vector<rocksdb::ColumnFamilyDescriptor> ColumnDescriptors(const std::vector<std::string>& present);
// The families of a folder of format 1; opening for writing makes the ones that came later.
std::vector<std::string> FirstColumns();

}  // namespace registry::ledger
