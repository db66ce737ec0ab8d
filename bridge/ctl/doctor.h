// bridge/ctl/doctor.h: `registryctl doctor`: looks at everything that a registry needs to work, inside and around it, and
// says for each what to do. Changes nothing; finding.h has the looks.
// Exit: 0 nothing is wrong (warnings may be there), 3 a fault was found, 1 the configuration cannot be read.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddDoctor(CLI::App& app);

}  // namespace registry::ctl
