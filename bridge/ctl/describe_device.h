// bridge/ctl/describe_device.h: everything known about one device, as `registryctl device show` prints it. EID and ICCID are
// masked unless they are to be revealed; authorisation codes are not known, only that there is one. Pure, any thread.
#pragma once

#include <vector>

#include "bridge/ctl/ledger_source.h"

namespace registry::ctl {

// What a list says of a device, too.
Json Whose(const domain::DeviceBrief& device);
Json Describe(const domain::Device& device, const std::vector<domain::Job>& jobs, bool reveal);

}  // namespace registry::ctl
