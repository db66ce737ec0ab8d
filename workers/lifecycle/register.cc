#include "workers/domain/device_steps.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/codes.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::UniqueKind;
using domain::UniqueValue;

// What of the eSIM is registered already, and for which device.
struct Taken {
  std::string_view symbol, field;
  domain::Device device;
};

Result<std::optional<Taken>> FindTaken(const UniqueValue& value, std::string_view symbol,
                                       std::string_view field, const View& view) {
  auto holder = view.FindUnique(value);
  if (!holder) return holder.error();
  if (!*holder) return std::optional<Taken>();
  auto device = view.LoadDevice(**holder);
  if (!device) return device.error();
  return std::optional<Taken>({symbol, field, device->value_or(domain::Device())});
}

// To the device's own sponsor.
Error Explain(const Taken& taken) {
  if (taken.device.state == domain::State::kDeleted) {
    return Error::Make(
        Code::kStatusProhibits, "esim_wipe_pending",
        "the deleted device on this eSIM still waits for its applet.wipe, or for what was asked of a profile "
        "of it; free once that has been reported or given up",
        taken.field);
  }
  return Error::Make(Code::kExists, taken.symbol,
                     "already registered; it is free again when its device is deleted", taken.field);
}

// Whoever knows an EID or ICCID must not learn what another MNO does with it: one answer whatever the reason, and which of
// the two it is for is not said. What the sender's own devices hold comes first, for that it may know.
Status RefuseTaken(const UniqueValue& eid, const UniqueValue& iccid, const PartyId& sender,
                   const View& view) {
  auto by_eid = FindTaken(eid, "eid_registered", "/eid", view);
  if (!by_eid) return by_eid.error();
  auto by_iccid = FindTaken(iccid, "iccid_registered", "/iccid", view);
  if (!by_iccid) return by_iccid.error();
  for (const auto* taken : {&*by_eid, &*by_iccid}) {
    if (*taken && domain::Sponsor((*taken)->device) == sender) return Explain(**taken);
  }
  if (!*by_eid && !*by_iccid) return Done{};
  return Error::Make(Code::kExists, "esim_unavailable", "this eSIM cannot be registered");
}

// One more profile of a device that is known. Whoever has the code learns that the eUICC is registered; who has none learns
// nothing.
Result<Reply> AddToKnown(const wire::EsimRegister& command, Case& at) {
  auto device = AuthoriseByEid(command.eid, domain::CodePurpose::kTransfer, command.authorisation_code, at);
  if (!device) return device.error();
  if (auto next = domain::Next(*device, domain::Command::kAddProfile); !next) return next.error();
  const UniqueValue iccid{UniqueKind::kIccid, AsBytes(command.iccid.text())};
  const auto taken = at.view.FindUnique(iccid);
  if (!taken) return taken.error();
  if (*taken) return Error::Make(Code::kExists, "esim_unavailable", "this eSIM cannot be registered");
  if (!domain::HasRoomForProfile(*device))
    return Error::Make(Code::kPolicy, "profiles_too_many", "the device has as many profiles as it may",
                       "/eid");

  domain::AddProfile(*device, at.origin.party, command.iccid);
  const std::uint32_t number = device->profiles.back().number;
  domain::NoteStep(*device, "profile registered", at.context.now);
  at.changes.claims.emplace_back(iccid, device->id);
  at.changes.history.push_back(domain::History(*device, at.origin.party,
                                               "profile " + std::to_string(number) + " registered",
                                               at.context.now, at.origin.id));
  Put(*device, at.changes);
  return wire::Encode(
      wire::EsimRegistered{device->id, {}, payload_push::BootstrapOf(at.policy, device->id), number});
}

}  // namespace

Result<Reply> Decide(const wire::EsimRegister& command, Case& at) {
  if (!command.authorisation_code.empty()) return AddToKnown(command, at);
  auto& [origin, view, context, policy, signer, changes] = at;
  const UniqueValue eid{UniqueKind::kEid, AsBytes(command.eid.text())};
  const UniqueValue iccid{UniqueKind::kIccid, AsBytes(command.iccid.text())};
  if (auto free = RefuseTaken(eid, iccid, origin.party, view); !free) return free.error();

  domain::Device device;
  DeviceId::Octets random;
  context.random(random.data(), random.size());
  device.id = DeviceId::FromRandom(random);
  device.eid = command.eid;
  domain::AddProfile(device, origin.party, command.iccid);
  device.created = context.now;
  const UtcTime code_ends = context.now + policy.authorisation.validity;
  const std::string code = GiveCode(device, domain::CodePurpose::kClaim, wire::Role::kAsp, code_ends, at);
  domain::NoteStep(device, "registered", context.now);

  changes.claims = {{eid, device.id}, {iccid, device.id}};
  changes.history.push_back(domain::History(device, origin.party, "registered", context.now, origin.id));
  Put(device, changes);
  return wire::Encode(wire::EsimRegistered{device.id, code, payload_push::BootstrapOf(policy, device.id),
                                           device.profiles.back().number});
}

}  // namespace registry::lifecycle
