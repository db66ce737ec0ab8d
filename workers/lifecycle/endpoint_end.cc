// The endpoints an ASP has, and how one goes.
#include "workers/domain/compose.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/reads.h"

namespace registry::lifecycle {
namespace {

constexpr std::size_t kLimitUnsaid = 100;
constexpr std::size_t kCountedMax = 1000;  // devices: more are not counted for a message

// How many are bound to it, "1000 or more" from kCountedMax on; empty: none.
Result<std::string> Bound(const EndpointName& name, const Case& at) {
  const auto group = domain::DeviceGroup::At(at.origin.party, name);
  const auto bound = at.view.DevicesIn(group, std::nullopt, std::nullopt, kCountedMax);
  if (!bound) return bound.error();
  if (bound->empty()) return std::string();
  return std::to_string(bound->size()) + (bound->size() == kCountedMax ? " or more" : "");
}

}  // namespace

Result<Reply> Decide(const wire::EndpointWithdraw& command, Case& at) {
  const PartyId& asp = at.origin.party;
  const auto known = at.view.LoadEndpoint(asp, command.name);
  if (!known) return known.error();
  if (!*known)
    return Error::Make(Code::kNotFound, "endpoint_unknown", "there is no endpoint of this name", "/name");
  const auto bound = Bound(command.name, at);
  if (!bound) return bound.error();
  if (!bound->empty()) {
    return Error::Make(Code::kAssociationProhibits, "endpoint_in_use",
                       *bound + " devices are bound to the endpoint; move or release them first", "/name");
  }
  at.changes.endpoints_erase.push_back({{asp, command.name}, (*known)->version});
  at.changes.history.push_back(
      domain::History(asp, "endpoint " + command.name.text() + " withdrawn", at.context.now, at.origin.id));
  return wire::Encode(wire::EndpointWithdrawn{command.name});
}

Result<wire::EndpointListed> Read(const wire::EndpointList& command, const Case& at) {
  const PartyId& asp = at.origin.party;
  const std::size_t limit = command.limit == 0 ? kLimitUnsaid : command.limit;
  const domain::EndpointKey after{asp, command.after.value_or(EndpointName())};
  const auto records = at.view.EndpointsAfter(after, limit + 1);
  if (!records) return records.error();
  wire::EndpointListed told;
  for (const domain::EndpointRecord& record : *records) {
    if (record.asp != asp) break;
    if (told.endpoints.size() == limit) {
      told.next = told.endpoints.back().endpoint;
      break;
    }
    const wire::Endpoint& endpoint = record.endpoint;
    told.endpoints.push_back({endpoint.name, record.version, endpoint.fqdn, endpoint.port});
  }
  return told;
}

}  // namespace registry::lifecycle
