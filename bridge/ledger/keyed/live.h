// bridge/ledger/keyed/live.h: the small part of the ledger that is asked for all the time, kept in memory
// beside the database: heads, sinks, feeds and waiting jobs, loaded when the ledger opens and checked against
// the records there; and the devices that were written last.
// Threads: the committer publishes under an exclusive lock, readers share it.
#pragma once

#include <map>

#include "bridge/ledger/job_table.h"
#include "bridge/ledger/keyed/heard.h"
#include "bridge/ledger/keyed/store.h"
#include "bridge/ledger/keyed/written_devices.h"
#include "bridge/ledger/outbox_tail.h"
#include "bridge/ledger/record_codec.h"
#include "schemas/base/mutex.h"

namespace registry::ledger {

struct Live {
  mutable SharedMutex mutex;
  Head head GUARDED_BY(mutex);
  std::array<SinkState, kAllSinks.size()> sinks GUARDED_BY(mutex);
  std::map<PartyId, FeedState> feeds GUARDED_BY(mutex);
  JobTable jobs GUARDED_BY(mutex);
  WrittenDevices devices GUARDED_BY(mutex);  // of the only one that writes
  Heard heard GUARDED_BY(mutex);             // of one among others (SharedWrites)
  bool shared = false;                       // it is one; set before any thread is there

  void PutJob(const JobId& id, const std::optional<JobTable::Entry>& entry)
      REQUIRES(mutex);  // nullopt erases

  // Nobody else writes, so whoever does reads without the lock. No octet of code: a word for clang.
  void ReadByItsWriter() const REG_THREADS(assert_shared_capability(mutex)) {}
};

OutboxTail::Ends EndsOf(const Head& head);

// "ledger_damaged" when the head does not fit the history that is there.
Status Load(const Store& store, Live& live) REQUIRES(live.mutex);

}  // namespace registry::ledger
