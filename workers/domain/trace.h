// workers/domain/trace.h: what a device's trace (device.h) tells of its payloads. A trace is bounded, and keeps these steps
// longest: from when a payload was made follows what it gave (bridge/ctl/anchor_reach.h).
// Pure. Threads: any.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "workers/domain/device.h"

namespace registry::domain {

inline constexpr std::string_view kDeliveredStep = "delivered";

// Places in the trace; none: it does not go back so far, or there was none.
struct PayloadSteps {
  std::optional<std::size_t> newest;        // was made last
  std::optional<std::size_t> confirmation;  // the last of any
  std::optional<std::size_t> confirmed;     // made, and confirmed by `confirmation`
};
PayloadSteps PayloadStepsOf(const Device& device);

// Which step a full trace gives up for a new one.
std::size_t StepToGiveUp(const Device& device);

}  // namespace registry::domain
