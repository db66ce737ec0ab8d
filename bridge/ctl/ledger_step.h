// bridge/ctl/ledger_step.h: `registryctl ledger step`: what a ledger needs that was set back to an earlier state, before
// registryd goes on with it. `restore` does the same with the folder that it makes (bridge/app/BACKUP.md).
// Threads: the main one, while registryd is stopped. Errors: the backend's; those of bridge/zone/serials.h.
#pragma once

#include <CLI/CLI.hpp>

#include "bridge/app/ledger_place.h"
#include "bridge/ledger/keyed/step_numbers.h"

namespace registry::ctl {

struct SteppedOn {
  ledger::Stepped numbers;
  std::uint32_t serial_above = 0;  // the zone's next serial is above; 0: it was never served
};
Result<SteppedOn> StepOn(const app::LedgerPlace& place);

void AddLedgerStep(CLI::App& ledger);

}  // namespace registry::ctl
