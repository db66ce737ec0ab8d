// simulators/lab/live_line.h: how far a run is, in one line that never wraps: a terminal that wraps it could not write
// over it again. Plain functions, any thread.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "simulators/lab/terminal.h"

namespace registry::lab {

struct LiveState {
  double elapsed_s = 0;
  std::size_t through = 0, given_up = 0, devices = 0;
  std::map<std::string, std::size_t> counts;            // devices that have done the step
  std::size_t missed = 0;                               // arrivals of a load (load.h)
  std::optional<std::size_t> under_way = std::nullopt;  // of a load
};

// Time, a bar of the devices that are through, and counters of the steps; at most `columns` wide. What is shortened first:
// the names of the steps, then the bar, then the end of the line.
std::string LiveLine(const LiveState& state, std::size_t columns);
// All but the last, where some terminals wrap.
inline std::size_t LiveColumns(const Terminal& terminal) { return terminal.columns - 1; }

}  // namespace registry::lab
