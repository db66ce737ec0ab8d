// bridge/ledger/rocksdb/live.h: the small part of the ledger that is asked for all the time, kept in memory
// beside the database: heads, sinks, feeds and waiting jobs. Loaded when the ledger opens and checked against
// the records there.
// Threads: the committer publishes under an exclusive lock, readers share it.
#pragma once

#include <map>
#include <shared_mutex>

#include "bridge/ledger/job_table.h"
#include "bridge/ledger/outbox_tail.h"
#include "bridge/ledger/record_codec.h"
#include "bridge/ledger/rocksdb/store.h"

namespace registry::ledger {

struct Live {
  mutable std::shared_mutex mutex;
  Head head;
  std::array<SinkState, kAllSinks.size()> sinks;
  std::map<PartyId, FeedState> feeds;
  JobTable jobs;
};

OutboxTail::Ends EndsOf(const Head& head);

// "ledger_damaged" when the head does not fit the history that is there.
Status Load(const Store& store, Live& live);

}  // namespace registry::ledger
