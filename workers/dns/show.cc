#include "workers/dns/show.h"

#include "workers/dns/desired.h"

namespace registry::dns {
namespace {

DeviceId DeviceIdOf(const domain::ZoneChange& change) { return change.device; }
DeviceId DeviceIdOf(const domain::Job& job) { return job.device(); }

}  // namespace

void Show(domain::Device& device, const jobs::Waiting& waiting, domain::Case& at) {
  domain::ZoneChange wanted = Wanted(device, at.policy.certificate.tlsa);
  if (device.zone.wanted == 0 && wanted.tlsa.empty() && wanted.note.empty()) return;
  // Of two words in one decision the last one counts: there is one content of a revision, and one alarm.
  const auto of_device = [&](const auto& one) { return DeviceIdOf(one) == device.id; };
  const bool said = std::erase_if(at.changes.zone, of_device) > 0;
  std::erase_if(at.changes.jobs_put, [&](const domain::Job& job) {
    return job.kind == domain::JobKind::kZoneVisible && of_device(job);
  });
  wanted.revision = said ? device.zone.wanted : ++device.zone.wanted;
  at.changes.zone.push_back(std::move(wanted));
  jobs::ExpectVisible(device, waiting, at.context, at.policy.visible_within, at.changes);
}

}  // namespace registry::dns
