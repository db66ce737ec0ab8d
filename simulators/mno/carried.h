// simulators/mno/carried.h: the last few payloads that an MNO has carried to devices, as whoever keeps what passes has them.
// Limits: kMost of all devices together. Plain value; the owner sees to threads.
#pragma once

#include <cstdint>
#include <deque>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

namespace registry::sim {

class Carried {
 public:
  static constexpr std::size_t kMost = 64;

  void Keep(const std::string& device, const nlohmann::json& frame) {
    kept_.emplace_back(device, frame);
    if (kept_.size() > kMost) kept_.pop_front();
  }
  // As another job, so that it is no repetition. nullopt: none of the device is kept.
  std::optional<nlohmann::json> OldestOf(const std::string& device) {
    for (const auto& [whose, frame] : kept_) {
      if (whose != device) continue;
      nlohmann::json again = frame;
      again["job"] = "replay-" + std::to_string(++replays_);
      return again;
    }
    return std::nullopt;
  }

 private:
  std::deque<std::pair<std::string, nlohmann::json>> kept_;
  std::uint64_t replays_ = 0;
};

}  // namespace registry::sim
