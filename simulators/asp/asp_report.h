// simulators/asp/asp_report.h: what asp-sim says on standard output: one JSON object per line, flushed at
// once.
// Owns: nothing. Threads: any.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

namespace registry::sim {

class AspReport {
 public:
  using Clock = std::chrono::steady_clock;
  using Sink = std::function<void(const nlohmann::json&)>;  // called by one thread at a time

  explicit AspReport(Sink sink) : sink_(std::move(sink)) {}

  void Say(const nlohmann::json& event) {
    const std::lock_guard lock(mutex_);
    sink_(event);
  }
  void Step(const std::string& device, const char* step, Clock::time_point begun, const std::string& reason) {
    const std::chrono::duration<double, std::milli> took = Clock::now() - begun;
    Say({{"event", "step"},
         {"device", device},
         {"step", step},
         {"ms", took.count()},
         {"ok", reason.empty()},
         {"reason", reason}});
  }

 private:
  const Sink sink_;
  std::mutex mutex_;
};

}  // namespace registry::sim
