// bridge/ctl/transfer_decisions.h: `registryctl transfer approve` and `transfer reject`: the operator decides in the losing
// party's place (life.md §2). There is no `cancel`: a request is its gaining party's alone to take back; the operator
// rejects it. Threads: the main one.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddTransferDecisions(CLI::App& transfers);  // to the subcommand `transfer`

}  // namespace registry::ctl
