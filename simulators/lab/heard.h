// simulators/lab/heard.h: what the simulators of a lab said, in its order, for who waits for something of it.
// Threads: any. What was said is kept for as long as this lives: it is for labs of a few devices.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "schemas/base/mutex.h"

namespace registry::lab {

class Heard {
 public:
  using Wanted = std::function<bool(const std::string& program, const nlohmann::json& event)>;

  void Hear(const std::string& program, const nlohmann::json& event);
  // The first event at or behind `from` that is wanted; `from` is then behind it. nullopt: not within `patience`, or `over`
  // has become true.
  std::optional<nlohmann::json> Wait(
      std::size_t& from, const Wanted& wanted, std::chrono::milliseconds patience,
      const std::function<bool()>& over = [] { return false; });
  std::size_t size() const;

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<std::pair<std::string, nlohmann::json>> events_ GUARDED_BY(mutex_);
};

// A party was notified of this type about the device.
Heard::Wanted Notified(const std::string& program, const std::string& type, const std::string& device);
// Any program said this event, or took this step, about the device, and it went right.
Heard::Wanted Succeeded(const std::string& event, const std::string& device);

}  // namespace registry::lab
