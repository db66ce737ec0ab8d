// bridge/app/config_issuing.h: [[former_issuing]] and [[coming_issuing]] of the configuration, the issuing CAs beside the
// present one. Part of reading it (config.h): what is wrong goes to the faults of `tables`. One thread.
#pragma once

#include "bridge/app/config.h"
#include "bridge/app/config_section.h"

namespace registry::app {

// `config`: with its [pki] read.
void ReadOtherIssuing(const Tables& tables, Config& config);

}  // namespace registry::app
