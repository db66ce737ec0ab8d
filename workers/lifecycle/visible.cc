#include "workers/domain/job_kinds.h"
#include "workers/domain/lifecycle.h"
#include "workers/domain/standing.h"
#include "workers/lifecycle/access.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/renewal.h"
#include "workers/lifecycle/transfer.h"
#include "workers/lifecycle/work.h"

namespace registry::lifecycle {
namespace {

using domain::Device;
using domain::State;

}  // namespace

Status DecideVisible(const domain::ZoneChange& change, Case& at) {
  auto& [origin, view, context, policy, signer, changes] = at;
  auto found = view.LoadDevice(change.device);
  if (!found) return found.error();
  if (!*found) return Done{};
  Device device = std::move(**found);
  // Only the content wanted last says anything, and it says it once.
  if (change.revision != device.zone.wanted || device.zone.visible >= change.revision) return Done{};
  device.zone.visible = change.revision;
  const auto waiting = jobs::Waiting::Of(device.id, view);
  if (!waiting) return waiting.error();
  jobs::EndSuperseded(device, domain::Superseding::kZoneShown, *waiting, changes);

  const bool withdrawn = change.tlsa.empty();
  domain::NoteStep(device, withdrawn ? "withdrawn" : "published", context.now);
  changes.history.push_back(domain::History(
      device, origin.party, withdrawn ? "withdrawn from DNS" : "published in DNS", context.now));
  if (auto shown = AfterShown(device, change, at); !shown) return shown;
  if (!withdrawn) {
    const State after = domain::After(device, domain::Fact::kVisible);
    device.state = after;
  }
  if (auto after = AfterOldIsGone(device, at); !after) return after;
  if (auto carried_on = CarryOnRenewal(device, *waiting, at); !carried_on) return carried_on.error();
  if (!withdrawn && !domain::OnHold(device)) {
    // The device is published whatever becomes of its payload: DNS shows it, and will not say so a second time.
    const auto push = [&](Device& pushed) { return PushWhatIsOwed(pushed, *waiting, at); };
    if (auto pushed = PushOrReport(device, push, at); !pushed) return pushed.error();
  }
  Put(device, changes);
  return Done{};
}

}  // namespace registry::lifecycle
