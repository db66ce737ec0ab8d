#include "workers/lifecycle/lifecycle.h"

namespace registry::lifecycle {

Result<Decision> Decide(const wire::EndpointPublish& command, const Origin& origin, const View& view,
                        const Context&, const domain::Signer& signer) {
  auto known = view.LoadEndpoint(origin.party, command.endpoint.name);
  if (!known) return known.error();
  domain::EndpointRecord record;
  record.asp = origin.party;
  record.endpoint = command.endpoint;
  if (auto signed_legacy = payload_push::SignLegacy(record, signer); !signed_legacy)
    return signed_legacy.error();

  const std::uint64_t version = *known ? (*known)->version : 0;
  Decision decision;
  decision.changes.endpoints.push_back({std::move(record), version});
  decision.reply = wire::Encode(wire::EndpointPublished{command.endpoint.name, version + 1});
  return decision;
}

}  // namespace registry::lifecycle
