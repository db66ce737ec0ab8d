#include "bridge/ingest/dispatch.h"

#include <algorithm>

namespace registry::ingest {

Dispatcher::Dispatcher(const Services& services, const ledger::LedgerReader& reader, Limits& limits)
    : services_(services), reader_(reader), feeds_(reader), limits_(limits) {
  Commands();  // held to the catalogue when the registry starts, not when the first command arrives
}

Result<domain::Origin> Dispatcher::Identify(const Terms& terms, const CommandRow& row, const PartyId& party,
                                            const EventId& id) {
  const auto known = terms.parties.find(party);
  if (known == terms.parties.end()) {
    return Error::Make(Code::kNotAuthorised, "party_unknown", "this registry does not know the party");
  }
  if (std::find(row.roles.begin(), row.roles.end(), known->second) == row.roles.end()) {
    return Error::Make(Code::kNotAuthorised, "role_not_allowed",
                       "a party of role " + std::string(wire::RoleName(known->second)) + " does not send " +
                           std::string(row.name));
  }
  return domain::Origin{party, known->second, id};
}

Decided Dispatcher::Decide(const Terms& terms, const CommandRow& row, const Asked& asked,
                           const domain::Origin& origin, const domain::Context& context) const {
  domain::Case at{origin, reader_, context, terms.policy, *services_.signer};
  auto reply = row.decide(asked, at, {services_.issuer, register_guard_, feeds_, limits_});
  if (!reply && !at.changes.though_refused) at.changes = {};
  return {std::move(reply), std::move(at.changes)};
}

}  // namespace registry::ingest
