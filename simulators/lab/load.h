// simulators/lab/load.h: devices that arrive whether the registry keeps up or not (arrivals.h), in a lab of their own.
// A latency counts from the moment at which the device was meant to begin, so that waiting anywhere counts. When
// `under_way_max` devices are under way, or an MNO takes nothing for a second, those that are due are missed: counted, not
// slowed down. After the last arrival the run waits until all that was started is through or silent.
// Call from the main thread (see process.h). Everything is stopped when this returns.
#pragma once

#include "simulators/lab/arrivals.h"
#include "simulators/lab/demo.h"
#include "simulators/lab/run_record.h"

namespace registry::lab {

struct LoadOptions {
  DemoOptions demo;  // demo.lab.devices: so many arrive
  double duration_s = 30;
  Arrive arrive = Arrive::kPoisson;
  std::size_t under_way_max = 5000;
  // For what one activation takes by itself: the next begins when the one before is through, within demo.deadline.
  bool one_at_a_time = false;
};

struct LoadRun {
  RunRecord record;
  std::string folder;  // of the lab, with its logs; empty when not even that could be made
};

LoadRun RunLoad(const LoadOptions& options);

}  // namespace registry::lab
