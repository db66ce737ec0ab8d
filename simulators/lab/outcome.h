// simulators/lab/outcome.h: what registry-lab says at the end of a run, on standard output. From its main thread.
#pragma once

#include "simulators/lab/demo.h"
#include "simulators/lab/run_record.h"

namespace registry::lab {

void SayWhere(const Lab& lab);
// Asks the lab, which still runs, about one of its devices (one_device.h).
void SayOutcome(const DemoRun& run, const DemoOptions& options);
void SayLoad(const RunRecord& record, const Terminal& terminal);

}  // namespace registry::lab
