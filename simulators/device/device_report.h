// simulators/device/device_report.h: what device-sim says on standard output: one JSON object per line,
// flushed at once.
// Owns: nothing. Threads: any. Privacy: devices are named by their UUID; ICCID and EID never appear.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "schemas/base/result.h"

namespace registry::sim {

class DeviceReport {
 public:
  using Clock = std::chrono::steady_clock;
  using Sink = std::function<void(const nlohmann::json&)>;  // called by one thread at a time

  explicit DeviceReport(Sink sink) : sink_(std::move(sink)) {}

  void Say(const nlohmann::json& event) {
    const std::lock_guard lock(mutex_);
    sink_(event);
  }
  void Step(const std::string& device, const char* step, Clock::time_point begun, const Status& status,
            bool again = false) {
    const std::chrono::duration<double, std::milli> took = Clock::now() - begun;
    nlohmann::json event = {{"event", "step"},    {"device", device},  {"step", step},
                            {"ms", took.count()}, {"ok", status.ok()}, {"reason", ReasonOf(status)}};
    if (again) event["again"] = true;
    Say(event);
  }
  // A refusal says what the ASP said; everything else its symbol.
  static std::string ReasonOf(const Status& status) {
    if (status) return "";
    return status.error().symbol == "refused" ? status.error().message : status.error().symbol;
  }

 private:
  const Sink sink_;
  std::mutex mutex_;
};

}  // namespace registry::sim
