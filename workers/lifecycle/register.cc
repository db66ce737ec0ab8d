#include "workers/crypto/digest.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/jobs.h"
#include "workers/lifecycle/lifecycle.h"

namespace registry::lifecycle {
namespace {

using domain::UniqueKind;
using domain::UniqueValue;

Status RefuseTaken(const UniqueValue& value, std::string_view symbol, std::string_view field,
                   const View& view) {
  auto holder = view.FindUnique(value);
  if (!holder) return holder.error();
  if (!*holder) return Done{};
  auto device = view.LoadDevice(**holder);
  if (!device) return device.error();
  if (*device && (*device)->state == domain::State::kDeleted) {
    return Error::Make(
        Code::kStatusProhibits, "esim_wipe_pending",
        "the deleted device on this eSIM still waits for its applet.wipe; free once that has been "
        "reported or given up",
        field);
  }
  return Error::Make(Code::kExists, symbol, "already registered; it is free again when its device is deleted",
                     field);
}

// 128 random bits: not to be guessed within the life of a device, so no attempt limit is needed.
std::string NewAuthorisationCode(const Context& context) {
  Bytes random(16);
  context.random(random.data(), random.size());
  return ToHex(random);
}

}  // namespace

Result<Decision> Decide(const wire::EsimRegister& command, const Origin& origin, const View& view,
                        const Context& context, const Policy& policy) {
  const UniqueValue eid{UniqueKind::kEid, AsBytes(command.eid.text())};
  const UniqueValue iccid{UniqueKind::kIccid, AsBytes(command.iccid.text())};
  if (auto free = RefuseTaken(eid, "eid_registered", "/eid", view); !free) return free.error();
  if (auto free = RefuseTaken(iccid, "iccid_registered", "/iccid", view); !free) return free.error();

  domain::Device device;
  DeviceId::Octets random;
  context.random(random.data(), random.size());
  device.id = DeviceId::FromRandom(random);
  device.eid = command.eid;
  device.iccid = command.iccid;
  device.sponsor = origin.party;
  device.created = context.now;
  const std::string code = NewAuthorisationCode(context);
  device.authorisation_hash = crypto::Sha256OfText(code);
  domain::Mark(device, "registered", context.now);

  Decision decision;
  decision.changes.claims = {{eid, device.id}, {iccid, device.id}};
  decision.changes.history.push_back(
      domain::History(device, origin.party, "registered", context.now, origin.id));
  Put(device, decision.changes);
  decision.reply = wire::Encode(
      wire::EsimRegistered{device.id, code, payload_push::BootstrapOf(policy.payload, device.id)});
  return decision;
}

}  // namespace registry::lifecycle
