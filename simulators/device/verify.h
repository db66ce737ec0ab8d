// simulators/device/verify.h: what a device checks in the DNS before it speaks to anyone (design §1 row 9): its own
// TLSA, the registry's at the apex of the zone, and what binds its ASP; each proved by DNSSEC over the pinned resolver.
// Threads: any; blocks for the look-ups.
// Errors: those of DaneResolver, and 2306 own_tlsa_mismatch, registry_tlsa_mismatch; 2303 own_tlsa_missing,
//   registry_tlsa_missing, asp_tlsa_missing, asp_address_missing.
#pragma once

#include "simulators/device/tls_session.h"
#include "simulators/device/trust.h"

namespace registry::sim {

// Another port of the ASP's, with the trust of its endpoint; a TLSA record of its own where that is by DANE.
Result<AspTarget> OtherPortOf(const RegistryTrust& trust, const AspTarget& asp, std::uint16_t port);

// `fallback_address`: where the ASP lives when its name is proved to have no address record.
Result<AspTarget> VerifyInDns(const RegistryTrust& trust, const wire::RegistryPayload& payload,
                              const std::string& fallback_address);

}  // namespace registry::sim
