// workers/dns/desired.h: what the zone shall hold for a device, as a plain value; signing and serving are bridge/zone's.
// Pure. Spec: RFC 6698 §2.1 (TLSA), RFC 7671 §5.1 (DANE-EE).
#pragma once

#include "workers/domain/changeset.h"
#include "workers/domain/policy.h"

namespace registry::dns {

using domain::TlsaProfile;

// Exactly one record for the live certificate. The device must have one; revision is the device's zone.wanted.
domain::ZoneChange Published(const domain::Device& device, TlsaProfile profile);
// The name exists (TXT "state=deactivated"), without TLSA.
domain::ZoneChange Deactivated(const domain::Device& device);
// The name is gone.
domain::ZoneChange Gone(const domain::Device& device);

}  // namespace registry::dns
