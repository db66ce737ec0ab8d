// bridge/ledger/postgres/written.h: where the writer is and what it was told last, for the connections beside it: an
// earlier primary that still answers shows an earlier state, and takes what will be lost.
// Private to this folder. Threads: the writer stores, any reads.
#pragma once

#include <atomic>
#include <cstdint>

namespace registry::ledger {

struct Written {
  std::atomic<std::int64_t> server{0};  // Connection::server of the connection that writes, or wrote last
  std::atomic<std::int64_t> number{0};  // of the last transaction that was acknowledged, and waited for
};

}  // namespace registry::ledger
