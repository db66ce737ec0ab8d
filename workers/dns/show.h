// workers/dns/show.h: how a decision changes what the zone holds for a device. Pure, any thread.
#pragma once

#include "workers/domain/decision.h"
#include "workers/jobs/jobs.h"

namespace registry::dns {

// The zone is to show from now on what is wanted of the device as it is now (desired.h), and somebody is told when it does
// not. Nothing for a device that the zone never knew and need not know. The caller puts the device.
void Show(domain::Device& device, const jobs::Waiting& waiting, domain::Case& at);

}  // namespace registry::dns
