// bridge/app/status.h: what the health pages say. Pure.
#pragma once

#include "bridge/app/http.h"
#include "bridge/app/metrics.h"

namespace registry::app {

// 200 while the process lives and its ledger has written within the last seconds; 503: look at its disk.
Page HealthPage(bool ledger_writable);
// Of a node that stands by: it lives and sees the ledger, and is not the one to be asked. `says`: what it waits for.
Page StandbyHealthPage(bool sees_ledger, bool decides, const std::string& says);
Page StandbyReadyPage(const std::string& says);
// Of one that decides commands meanwhile: 200 while it hears them.
Page DecidingReadyPage(const Sample& sample, const std::string& says);
// 200 while commands are heard and the zone is served by every secondary; 503 with what is missing.
Page ReadyPage(const Sample& sample);

}  // namespace registry::app
