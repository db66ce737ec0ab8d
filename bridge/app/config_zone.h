// bridge/app/config_zone.h: the tables of the configuration that are about DNS: [zone] and [[secondary]]. What is
// wrong goes to the tables' faults. One thread.
#pragma once

#include "bridge/app/config.h"
#include "bridge/app/config_section.h"

namespace registry::app {

// `name`: the zone's, from [registry].
ZoneConfig ReadZone(const Tables& tables, const std::string& name);
std::vector<SecondaryConfig> ReadSecondaries(const Tables& tables, const ZoneTlsConfig& tls);

}  // namespace registry::app
