// bridge/ctl/crl_commands.h: `registryctl crl show`, which holds the CRL of devices to its CA, the time and the ledger, and
// `crl publish`, which makes a new one for a registryd that is stopped and puts it where relying parties fetch it. While
// registryd runs it makes each CRL itself, and publish only copies.
// Errors: a sentence on stderr, status 1; 3 where `show` found a fault. Threads: the main one.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddCrlCommands(CLI::App& app);

}  // namespace registry::ctl
