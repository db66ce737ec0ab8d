// simulators/mqtt/again.h: rejections that say nothing about the command itself, and when to send it again.
// Plain functions, any thread.
#pragma once

#include <algorithm>
#include <chrono>

#include "simulators/mqtt/client.h"

namespace registry::sim {

// The same command may be accepted later: the registry says so (retryAfterSeconds) or is busy, or it did not hear of it.
inline bool Temporary(const Reply& reply) {
  if (reply.accepted || !reply.error) return false;
  const std::string& symbol = reply.error->symbol;
  return reply.error->retry_after_seconds || symbol == "busy" || symbol == "too_many_in_flight" ||
         symbol == "no_reply";
}

// Before try number `tries` + 1: twice as long each time, up to a minute, but never less than the registry asks for.
inline std::chrono::milliseconds PauseBeforeAgain(const Reply& reply, int tries,
                                                  std::chrono::milliseconds first) {
  constexpr std::chrono::milliseconds kMost{60'000};
  const auto doubled = first * (std::int64_t{1} << std::clamp(tries - 1, 0, 16));
  const int asked = reply.error ? reply.error->retry_after_seconds.value_or(0) : 0;
  return std::max<std::chrono::milliseconds>(std::min(doubled, kMost), std::chrono::seconds(asked));
}

// Empty when it was accepted.
inline std::string ReasonOf(const Reply& reply) {
  return reply.accepted ? std::string() : reply.error ? reply.error->symbol : std::string("rejected");
}

// What Call did not even take.
inline Reply NotSent() {
  return {false, {}, Error::Make(Code::kLimit, "too_many_in_flight", "too many commands wait for replies")};
}

}  // namespace registry::sim
