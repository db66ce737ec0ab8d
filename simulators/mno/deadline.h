// simulators/mno/deadline.h: how long the registry still waits for a job. Plain function, any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "schemas/base/utc_time.h"
#include "simulators/link/text.h"

namespace registry::sim {

// Of an action's data; negative: not any more. `most`: at most, and when it names no time.
inline std::chrono::milliseconds LeftOf(const nlohmann::json& action, std::chrono::milliseconds most) {
  const auto deadline = FromRfc3339(Text(action, "deadline"));
  if (!deadline) return most;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto left = std::chrono::microseconds(deadline->micros) - now;
  return std::min(most, std::chrono::duration_cast<std::chrono::milliseconds>(left));
}

}  // namespace registry::sim
