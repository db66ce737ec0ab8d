// simulators/mno/deadline.h: how long the registry still waits for a job. Plain function, any thread.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>

#include "schemas/base/utc_time.h"
#include "simulators/link/text.h"

namespace registry::sim {

// Of an action's data; negative: not any more. `without`: when it names no time.
inline std::chrono::milliseconds LeftOf(const nlohmann::json& action, std::chrono::milliseconds without) {
  const auto deadline = FromRfc3339(Text(action, "deadline"));
  if (!deadline) return without;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds(deadline->micros) -
                                                               now);
}

}  // namespace registry::sim
