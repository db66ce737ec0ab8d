// bridge/zone/apex.h: from the options to what the zone holds whatever devices there are.
// Apex: SOA, NS, DNSKEY, NSEC3PARAM, TLSA of the registry's CA certificates, TXT "v=iotreg1"; addresses of
// name servers inside the zone. Errors: "zone_options_invalid" with what is wrong, and those of keys.h. Spec:
// RFC 1035 §3.3.13, RFC 4034 §2, RFC 5155 §4, RFC 6698 §2.1.
#pragma once

#include "bridge/zone/key_material.h"
#include "bridge/zone/signed_zone.h"

namespace registry::zone {

Result<ZoneProfile> ProfileOf(const Options& options);
Result<ZoneProfile> ProfileOf(const Options& options, const KeyMaterial& material);
// What the zone holds whatever keys and devices there are; no key is read.
Result<std::vector<StaticSet>> FixedSetsOf(const Options& options);

// The key set as it is stored; that of the two key files, active since `now`, when none is.
Result<KeySet> KeySetOf(const Options& options, UtcTime now);
// The same for whoever may read the file, whosever it is.
Result<KeySet> KeySetOfUnjudged(const Options& options, UtcTime now);
std::string KeyFolderOf(const Options& options);
Result<KeyMaterial> MaterialOf(const KeySet& set, const Options& options);
SigningProfile SigningOf(const KeyMaterial& material, const Options& options);
std::vector<StaticSet> KeySetsAtApex(const KeyMaterial& material, const Options& options);
// With the waits that follow from the zone's own TTLs.
RollPolicy RollPolicyOf(const Options& options);

}  // namespace registry::zone
