// bridge/ledger/rocksdb/options.h: how RocksDB is set up, each choice with its reason.
// Private to this folder. Plain values.
#pragma once

#include <rocksdb/db.h>

#include <vector>

namespace registry::ledger {

rocksdb::DBOptions DatabaseOptions();
// "default" (empty, RocksDB insists on it) and one per Column, in order.
std::vector<rocksdb::ColumnFamilyDescriptor> ColumnDescriptors();

}  // namespace registry::ledger
