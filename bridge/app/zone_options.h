// bridge/app/zone_options.h: what bridge/zone and bridge/update are told, from the configuration. Pure.
#pragma once

#include "bridge/app/config.h"
#include "bridge/update/publisher.h"
#include "bridge/zone/publisher.h"

namespace registry::app {

// `apex_certificates`: the registry's CA certificates (DER), first the root.
zone::Options ZoneOptions(const Config& config, std::vector<Bytes> apex_certificates);

// The same for bridge/update; with zone.publisher = "update" only.
update::Options UpdateOptions(const Config& config, std::vector<Bytes> apex_certificates);

// Where the KSK is that signs now: after a roll-over it is not that of zone.ksk. Errors: the key set cannot be read;
// zone_key_unreadable where another server signs and has the keys.
Result<std::string> KskInUse(const Config& config);

}  // namespace registry::app
