#include <algorithm>

#include "workers/domain/device_steps.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/jobs/sending.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/transfer.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

// What waited for the device is said again to its MNO, under the attempt that could not reach it: being away uses none up.
// Last of all, since a newer payload may just have taken the place of the one that waited.
void SendWhatWaited(const jobs::Waiting& waiting, Case& at) {
  const auto& ended = at.changes.jobs_erase;
  for (const domain::Job& job : waiting.all()) {
    const bool sent = job.to == at.origin.party && !job.unsent && job.wanted;
    const bool waits = std::find(ended.begin(), ended.end(), job.id) == ended.end();
    if (sent && waits && domain::NeedsDevice(job.kind))
      jobs::Repeat(job, at.context, at.policy.retry, at.changes);
  }
}

// Disabled on demand, and live all the same: the MNO is asked again.
Status DisableAgain(const domain::Device& device, const jobs::Waiting& waiting, Case& at) {
  const bool off = device.statuses.contains(domain::DeviceStatus::kDisconnected);
  if (!off || IsServingDisabled(device, waiting) || waiting.Has(domain::JobKind::kAppletWipe)) return Done{};
  return jobs::Ask(domain::JobKind::kProfileDisable, device, at.view, at.context, at.policy.retry,
                   at.changes);
}

// Another profile than the one that serves: that it is enabled, and what a transfer makes of that.
Result<Reply> AttachOther(domain::Device& device, std::uint32_t number, Case& at) {
  const domain::Profile was = *domain::ProfileOf(device, number);
  const auto waiting = jobs::Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  domain::SeeOnNetwork(device, number);
  const std::string what = "profile " + std::to_string(number) + " attached";
  domain::NoteStep(device, what, at.context.now);
  at.changes.history.push_back(domain::History(device, at.origin.party, what, at.context.now, at.origin.id));
  if (auto carried_on = CarryOnTransfer(device, *waiting, at); !carried_on) return carried_on.error();
  if (was == *domain::ProfileOf(device, number) && at.changes.jobs_put.empty()) {
    at.changes = {};
  } else {
    Put(device, at.changes);
  }
  return wire::Encode(StateOf(device));
}

}  // namespace

Result<Reply> Decide(const wire::DeviceAttach& command, Case& at) {
  auto& [origin, view, context, policy, signer, changes] = at;
  auto device = FindLive(command.device, view);
  if (!device) return device.error();
  const domain::Profile* const profile = ProfileOf(*device, command.profile, origin.party);
  if (profile == nullptr || profile->state == domain::ProfileState::kDeleted) return NotSponsor();
  if (profile != domain::Serving(*device)) return AttachOther(*device, profile->number, at);
  const domain::State after = domain::After(*device, domain::Fact::kAttached);
  const bool back = domain::IsAway(*device);
  const bool moved = device->state != after || !domain::Attached(*device);
  const auto waiting = jobs::Waiting::Of(device->id, view);
  if (!waiting) return waiting.error();
  device->state = after;
  domain::SeeOnNetwork(*device);
  domain::NoteStep(*device, "attached", context.now);
  changes.history.push_back(domain::History(*device, origin.party, "attached", context.now, origin.id));
  if (back)
    NotifyStakeholders(*device, wire::DeviceAttached{device->id, DeviceName(device->id, policy.zone)}, at);
  if (auto asked = DisableAgain(*device, *waiting, at); !asked) return asked.error();
  if (auto asked = AskForWhatIsOwed(*device, *waiting, at); !asked) return asked.error();
  if (back) SendWhatWaited(*waiting, at);
  // Devices attach many times a day: one that has nowhere to go and nothing to get leaves no trace, lest the trace hold
  // nothing but attaches and the history grow for ever.
  const bool asked_for_more = !changes.jobs_put.empty();
  if (moved || asked_for_more) {
    Put(*device, changes);
  } else {
    changes = {};
  }
  return wire::Encode(StateOf(*device));
}

}  // namespace registry::lifecycle
