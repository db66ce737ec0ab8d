// bridge/ctl/order_verbs.h: `registryctl order start KIND`, `order pause|resume|cancel ID`: work on many devices, as the
// operator's party; see change.h. A dry run of `start` decides each device of the selection without the registry.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddOrderVerbs(CLI::App& orders);

}  // namespace registry::ctl
