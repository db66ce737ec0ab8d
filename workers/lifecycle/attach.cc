#include "workers/domain/device_steps.h"
#include "workers/domain/job_kinds.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::JobKind;
using domain::State;

// What the device still owes or is owed, and nobody is waiting for: the way out of a job that failed for good. On hold
// nothing new is asked for.
Status AskAgain(domain::Device& device, Case& at) {
  if (domain::OnHold(device)) return Done{};
  const auto waiting = jobs::Waiting::Of(device.id, at.view);
  if (!waiting) return waiting.error();
  // A wipe under way asks for the key itself when it ends.
  const bool key_to_come = waiting->Has(JobKind::kKeyGenerate) || waiting->Has(JobKind::kAppletWipe);
  if (device.state == State::kAttached && !key_to_come) {
    if (auto asked = AskForKey(device, at); !asked) return asked;
  }
  const domain::Binding* const binding = domain::LiveBinding(device);
  const bool payload_owed = device.state == State::kPublished && binding != nullptr;
  if (!payload_owed || waiting->Has(JobKind::kPayloadPush)) return Done{};
  auto endpoint = at.view.LoadEndpoint(binding->asp, binding->endpoint);
  if (!endpoint) return endpoint.error();
  if (!*endpoint) return Done{};
  return PushPayload(device, **endpoint, at);
}

}  // namespace

Result<Reply> Decide(const wire::DeviceAttach& command, Case& at) {
  auto& [origin, view, context, policy, signer, changes] = at;
  auto device = FindSponsored(command.device, origin, view);
  if (!device) return device.error();
  const State after = domain::After(*device, domain::Fact::kAttached);
  const bool moved = device->state != after || !domain::Attached(*device);
  device->state = after;
  domain::SeeOnNetwork(*device);
  domain::NoteStep(*device, "attached", context.now);
  changes.history.push_back(domain::History(*device, origin.party, "attached", context.now, origin.id));
  if (auto asked = AskAgain(*device, at); !asked) return asked.error();
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
