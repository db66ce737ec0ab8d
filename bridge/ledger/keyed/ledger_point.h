// bridge/ledger/keyed/ledger_point.h: what one moment of a ledger is known by, whatever keeps it. Plain value.
#pragma once

#include <string>

#include "bridge/ledger/ledger.h"

namespace registry::ledger {

struct LedgerPoint {
  std::string id;                // of its mark
  std::uint64_t format = 0;      // of the ledger (FORMAT.md)
  std::uint64_t last_write = 0;  // RocksDB's sequence number, or the number of PostgreSQL's last transaction
  Seq history = 0;
  Bytes chain;  // hash of the last history record; empty before the first
};

}  // namespace registry::ledger
