// simulators/console/report.h: what a simulator says about itself: one JSON object per event. The programs print them
// (printer.h).
// Owns: nothing. Threads: any; the sink is called by one at a time.
// Privacy: devices are named by their UUID; EID and ICCID never appear, since reports end up in log files.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "schemas/base/mutex.h"

namespace registry::sim {

class Report {
 public:
  using Clock = std::chrono::steady_clock;
  using Sink = std::function<void(const nlohmann::json&)>;

  explicit Report(Sink sink) : sink_(std::move(sink)) {}

  void Say(const nlohmann::json& event);
  // A step that began then and is over now; it went well when there is no reason why not.
  void Step(const std::string& device, const char* step, Clock::time_point begun, const std::string& reason,
            bool again = false);

 private:
  const Sink sink_;
  Mutex mutex_;
};

}  // namespace registry::sim
