// simulators/lab/outcome.h: what registry-lab says at the end of a run, on standard output. From its main thread.
#pragma once

#include "simulators/lab/demo.h"
#include "simulators/lab/run_record.h"

namespace registry::lab {

void SayWhere(const Lab& lab);
void SayOutcome(const DemoRun& run);
void SayLoad(const RunRecord& record);

}  // namespace registry::lab
