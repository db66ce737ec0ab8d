// Restore: a device that was deleted by mistake comes back within a few days (RFC 3915 §1, the redemption grace period).
#include <algorithm>

#include "workers/dns/show.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Device;
using domain::UniqueKind;
using domain::UniqueValue;

UtcTime DeletedAt(const Device& device) {
  const auto deleted = std::find_if(device.trace.rbegin(), device.trace.rend(),
                                    [](const domain::TraceStep& one) { return one.step == "deleted"; });
  return deleted != device.trace.rend() ? deleted->at : device.updated;
}

// What may be told of the device the eSIM now belongs to: nothing but that there is one.
Error TakenSince() {
  return Error::Make(Code::kStatusProhibits, "esim_registered_anew",
                     "the eSIM was registered again; its device is another one", "/device");
}

Status TakeEsimBack(const Device& device, Case& at) {
  std::vector<UniqueValue> values{{UniqueKind::kEid, AsBytes(device.eid.text())}};
  for (const domain::Profile& profile : device.profiles) {
    if (profile.state == domain::ProfileState::kDeleted) continue;
    values.push_back({UniqueKind::kIccid, AsBytes(profile.iccid.text())});
  }
  for (UniqueValue& value : values) {
    const auto holder = at.view.FindUnique(value);
    if (!holder) return holder.error();
    if (*holder && *holder != device.id) return TakenSince();
    at.changes.claims.emplace_back(std::move(value), device.id);
  }
  return Done{};
}

// A tombstone exists for those only who could have made it.
Result<Device> FindDeleted(const DeviceId& id, Case& at) {
  auto found = at.view.LoadDevice(id);
  if (!found) return found.error();
  if (!*found) return Error::Make(Code::kNotFound, "device_unknown", "no such device", "/device");
  if (at.origin.role != wire::Role::kOperator && domain::Claimer(**found) != at.origin.party) {
    return Error::Make(Code::kNotAuthorised, "not_claimer", "the device is not claimed by this party",
                       "/device");
  }
  return std::move(**found);
}

}  // namespace

Result<Reply> Decide(const wire::DeviceRestore& command, Case& at) {
  auto device = FindDeleted(command.device, at);
  if (!device) return device.error();
  const bool by_operator = at.origin.role == wire::Role::kOperator;
  const auto next =
      domain::Next(*device, by_operator ? domain::Command::kServerRestore : domain::Command::kRestore);
  if (!next) return next.error();
  if (at.context.now > DeletedAt(*device) + at.policy.restore_within) {
    return Error::Make(Code::kStatusProhibits, "restore_too_late",
                       "the days in which a deleted device can be restored are over", "/device");
  }
  if (auto taken = TakeEsimBack(*device, at); !taken) return taken.error();
  const auto waiting = jobs::Waiting::Of(device->id, at.view);
  if (!waiting) return waiting.error();
  device->state = *next;
  RecordStep(*device, "restored", command.reason, at);
  dns::Show(*device, *waiting, at);
  const wire::DeviceRestored message{device->id, DeviceName(device->id, at.policy.zone), at.origin.party,
                                     command.reason};
  NotifyStakeholders(*device, message, at);
  Put(*device, at.changes);
  return wire::Encode(StateOf(*device));
}

}  // namespace registry::lifecycle
