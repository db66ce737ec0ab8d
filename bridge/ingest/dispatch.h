// bridge/ingest/dispatch.h: one command to whoever decides it, by its row. Roles are checked here, ownership by the worker.
// Threads: const, any. Owns what the rows share and forgets it at a restart.
#pragma once

#include "bridge/ingest/commands.h"
#include "bridge/ingest/party_terms.h"
#include "bridge/ingest/pipeline.h"

namespace registry::ingest {

// What a command comes to. A refusal has changes when it is to be kept (domain::RefuseButKeep), else none.
struct Decided {
  Result<domain::Reply> reply;
  domain::Changeset changes{};
};

class Dispatcher {
 public:
  Dispatcher(const Services& services, const ledger::LedgerReader& reader, Limits& limits);
  // 2201 "party_unknown" for a party that is not configured, "role_not_allowed" for a command of another role.
  static Result<domain::Origin> Identify(const Terms& terms, const CommandRow& row, const PartyId& party,
                                         const EventId& id);
  // Of a read the changes are empty.
  Decided Decide(const Terms& terms, const CommandRow& row, const Asked& asked, const domain::Origin& origin,
                 const domain::Context& context) const;

 private:
  const Services& services_;
  const ledger::LedgerReader& reader_;
  mutable RegisterGuard register_guard_;
  mutable Feeds feeds_;
  Limits& limits_;
};

}  // namespace registry::ingest
