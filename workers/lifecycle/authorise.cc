#include "workers/domain/compose.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/codes.h"
#include "workers/lifecycle/lifecycle.h"

namespace registry::lifecycle {
namespace {

using domain::CodePurpose;

CodePurpose PurposeOf(const wire::AuthorisationSet& command) {
  return command.purpose == PurposeName(CodePurpose::kTransfer) ? CodePurpose::kTransfer
                                                                : CodePurpose::kClaim;
}

// The MNO gives a device to its first ASP and to another MNO, its ASP to another ASP, the operator to anybody.
wire::Role UserOf(CodePurpose purpose, wire::Role setter) {
  return purpose == CodePurpose::kClaim ? wire::Role::kAsp : setter;
}

Result<domain::Device> FindOwn(const wire::AuthorisationSet& command, CodePurpose purpose, const Case& at) {
  if (at.origin.role != wire::Role::kAsp) {
    if (at.origin.role == wire::Role::kOperator) return FindLive(command.device, at.view);
    return FindSponsored(command.device, at.origin, at.view);
  }
  auto device = FindManaged(command.device, at.origin, at.view);
  if (device && purpose == CodePurpose::kClaim) {
    return Error::Make(Code::kNotAuthorised, "not_sponsor", "a code for a claim is set by the device's MNO",
                       "/purpose");
  }
  return device;
}

Status MaySet(const domain::Device& device, CodePurpose purpose) {
  const auto next = domain::Next(device, domain::Command::kAuthorise);
  if (!next) return next.error();
  if (purpose == CodePurpose::kClaim && domain::Claimer(device)) {
    return Error::Make(Code::kExists, "device_claimed",
                       "the device is claimed; its ASP sets a code for a transfer", "/device");
  }
  return Done{};
}

}  // namespace

Result<Reply> Decide(const wire::AuthorisationSet& command, Case& at) {
  auto& [origin, view, context, policy, signer, changes] = at;
  const CodePurpose purpose = PurposeOf(command);
  auto device = FindOwn(command, purpose, at);
  if (!device) return device.error();
  if (auto may = MaySet(*device, purpose); !may) return may.error();

  constexpr std::chrono::hours kDay{24};
  const UtcTime ends =
      context.now + (command.valid_days > 0 ? command.valid_days * kDay : policy.authorisation.validity);
  const std::string code = GiveCode(*device, purpose, UserOf(purpose, origin.role), ends, at);
  device->updated = context.now;
  std::string what = "authorisation code set for a " + command.purpose;
  if (!command.reason.empty()) what += ": " + command.reason;
  changes.history.push_back(domain::History(*device, origin.party, what, context.now, origin.id));
  Put(*device, changes);
  return wire::Encode(wire::Authorisation{device->id, command.purpose, code, ends});
}

}  // namespace registry::lifecycle
