#include "workers/domain/compose.h"
#include "workers/lifecycle/lifecycle.h"

namespace registry::lifecycle {

Result<Decision> Decide(const wire::EndpointPublish& command, const Origin& origin, const View& view,
                        const Context& context, const domain::Signer& signer) {
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
  // What devices are told to trust changes here: it belongs into the chain as much as what they do.
  decision.changes.history.push_back(domain::History(
      origin.party,
      "endpoint " + command.endpoint.name.text() + " published, version " + std::to_string(version + 1),
      context.now, origin.id));
  decision.reply = wire::Encode(wire::EndpointPublished{command.endpoint.name, version + 1});
  return decision;
}

}  // namespace registry::lifecycle
