// bridge/ctl/ledger_file_commands.h: `registryctl ledger create|adopt|drop-torn-tail`: what makes or mends the files of a
// ledger, with registryd stopped. Each says what it did; what it will not do ends with 1 and a sentence.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddLedgerFileCommands(CLI::App& ledger);

}  // namespace registry::ctl
