// bridge/ledger/rocksdb/info_log.h: where RocksDB's own words go: warnings and errors into the registry's log, everything
// else nowhere. Its own file LOG would be one more thing that a full disk refuses, and RocksDB asserts that it does not.
// Private to this folder. Threads: called from any of RocksDB's.
#pragma once

#include <rocksdb/env.h>

#include <functional>
#include <memory>
#include <string>

namespace registry::ledger {

using InfoLine = std::function<void(int level, const std::string& line)>;  // 2 warning, 3 error

std::shared_ptr<rocksdb::Logger> NewInfoLog(InfoLine line);  // empty: nowhere

}  // namespace registry::ledger
