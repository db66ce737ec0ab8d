// workers/lifecycle/explain.h: in one line what a device waits for: which step, from whom, which attempt of how many, and
// when it is given up; and where nobody is asked, who could go on with it. Pure, any thread.
#pragma once

#include <string>
#include <vector>

#include "schemas/wire/queries.h"
#include "workers/domain/device.h"

namespace registry::lifecycle {

// `waits` as WaitsOf (reads.h) says them. It names no party that has no part in the device but the one a transfer goes to.
std::string Explain(const domain::Device& device, const std::vector<wire::DeviceWait>& waits, UtcTime now);

}  // namespace registry::lifecycle
