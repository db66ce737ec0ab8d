// bridge/ledger/rocksdb/info_log.h: where RocksDB's own words go: warnings and errors into the registry's log, everything
// else nowhere. Its own file LOG would be one more thing that a full disk refuses, and RocksDB asserts that it does not.
// Private to this folder. Threads: called from any of RocksDB's.
#pragma once

#include <rocksdb/env.h>

#include <memory>
#include <string>

#include "bridge/log_line.h"

namespace registry::ledger {

std::shared_ptr<rocksdb::Logger> NewInfoLog(LogLine line);  // empty: nowhere

}  // namespace registry::ledger
