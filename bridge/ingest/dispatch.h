// bridge/ingest/dispatch.h: one command to the worker that decides it. Roles are checked here, ownership by the worker.
// Threads: const, any. Owns when each party was last sent its feed again, and the guard of esim.register (both forgotten
// at a restart).
#pragma once

#include "bridge/ingest/pipeline.h"
#include "bridge/ingest/register_guard.h"
#include "schemas/base/mutex.h"
#include "schemas/wire/queries.h"
#include "workers/domain/decision.h"

namespace registry::ingest {

class Dispatcher {
 public:
  Dispatcher(const Services& services, const ledger::LedgerReader& reader)
      : services_(services), reader_(reader) {}
  // 2201 "party_unknown" for a party that is not configured, "role_not_allowed" for a command of another role.
  Result<domain::Origin> Identify(const PartyId& party, const std::string& command, const EventId& id) const;
  // The data of the accepted reply; nothing is written.
  Result<nlohmann::json> Read(const wire::Query& query, const domain::Origin& origin) const;
  Result<domain::Decision> Decide(const wire::Command& command, const domain::Origin& origin,
                                  const domain::Context& context) const;

 private:
  Result<domain::Reply> Register(const wire::EsimRegister& command, domain::Case& at) const;
  Result<domain::Reply> Replay(const wire::FeedReplay& command, domain::Case& at) const;
  // One small command makes a thousand messages, so there are never more than the relay can carry.
  Status MayReplay(const PartyId& party, UtcTime now) const;
  Result<domain::Reply> Acknowledge(const wire::FeedAck& command, domain::Case& at) const;

  const Services& services_;
  const ledger::LedgerReader& reader_;
  mutable Mutex mutex_;
  mutable std::map<PartyId, UtcTime> replayed_at_ GUARDED_BY(mutex_);
  mutable RegisterGuard guard_;
};

}  // namespace registry::ingest
