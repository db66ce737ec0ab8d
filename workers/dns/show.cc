#include "workers/dns/show.h"

#include "workers/dns/desired.h"

namespace registry::dns {

void Show(domain::Device& device, const jobs::Waiting& waiting, domain::Case& at) {
  domain::ZoneChange wanted = Wanted(device, at.policy.certificate.tlsa);
  if (device.zone.wanted == 0 && wanted.tlsa.empty() && wanted.note.empty()) return;
  wanted.revision = ++device.zone.wanted;
  at.changes.zone.push_back(std::move(wanted));
  jobs::ExpectVisible(device, waiting, at.context, at.policy.visible_within, at.changes);
}

}  // namespace registry::dns
