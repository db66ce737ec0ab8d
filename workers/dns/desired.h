// workers/dns/desired.h: what the zone shall hold for a device, as a plain value; signing and serving are bridge/zone's.
// Pure. Spec: RFC 6698 §2.1 (TLSA), RFC 7671 §5.1 (DANE-EE).
#pragma once

#include "workers/domain/changeset.h"
#include "workers/domain/policy.h"

namespace registry::dns {

using domain::TlsaProfile;

// One answer for every device, whatever was decided last; revision is the device's zone.wanted. With certificates: one
// TLSA record for each, so that who connects during a renewal finds his (RFC 7671 §8.1: the new record stands beside the
// old one). On hold, expired or deactivated: the name exists with a TXT record that says so, without TLSA. Otherwise
// nothing: the name is not there.
domain::ZoneChange Wanted(const domain::Device& device, TlsaProfile profile);

}  // namespace registry::dns
