// bridge/ingest/feeds.h: decides what a party says of its feed: send it again, it has arrived. Both are about messages and
// not about devices, so no worker knows of them.
// Threads: any. Owns when each party was last sent its feed again (forgotten at a restart): one entry for each configured
// party at most. The reader outlives it.
// Errors: 2004 seq_unknown; 2502 replay_too_soon, with retryAfterSeconds: one small command makes a thousand messages, so
// there are never more than the relay can carry.
#pragma once

#include <map>

#include "bridge/ledger/ledger.h"
#include "schemas/base/mutex.h"
#include "workers/domain/decision.h"

namespace registry::ingest {

class Feeds {
 public:
  explicit Feeds(const ledger::LedgerReader& reader) : reader_(reader) {}
  Result<domain::Reply> Replay(const wire::FeedReplay& command, domain::Case& at);
  Result<domain::Reply> Acknowledge(const wire::FeedAck& command, domain::Case& at);

 private:
  Status MayReplay(const PartyId& party, UtcTime now);

  const ledger::LedgerReader& reader_;
  Mutex mutex_;
  std::map<PartyId, UtcTime> replayed_at_ GUARDED_BY(mutex_);
};

}  // namespace registry::ingest
