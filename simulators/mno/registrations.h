// simulators/mno/registrations.h: which eSIMs of the inventory are registered next: in its order, as many as were let go,
// at most MnoConfig::register_window at a time. Not thread-safe: its owner holds a lock. The inventory outlives it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "simulators/mno/config.h"

namespace registry::sim {

class Registrations {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Next {
    const InventoryItem* item = nullptr;
    std::optional<Time> due;  // when it was meant to begin
  };

  explicit Registrations(const MnoConfig& config)
      : inventory_(config.inventory),
        window_(config.register_window),
        released_(std::min(config.register_first, config.inventory.size())) {}

  // {"count":N} and {"due_us":[T,...]} of the console (mno_sim.h); what the inventory does not hold is passed over.
  void Release(const nlohmann::json& command) {
    const auto count = command.find("count");
    const bool number = count != command.end() && count->is_number_integer() && *count > 0;
    released_ += number ? std::min(count->get<std::size_t>(), inventory_.size() - released_) : 0;
    const nlohmann::json due_us = command.value("due_us", nlohmann::json::array());
    if (!due_us.is_array()) return;
    for (const nlohmann::json& due : due_us) {
      if (!due.is_number_integer() || released_ == inventory_.size()) continue;
      due_[released_++] = Time(std::chrono::microseconds(due.get<std::int64_t>()));
    }
  }
  // nullopt: none for now.
  std::optional<Next> TakeNext() {
    if (under_way_ >= window_ || next_ >= released_) return std::nullopt;
    ++under_way_;
    const auto due = due_.extract(next_);
    return Next{&inventory_[next_++], due.empty() ? std::nullopt : std::optional(due.mapped())};
  }
  void Ended() { --under_way_; }  // of one that was taken

 private:
  const std::vector<InventoryItem>& inventory_;
  const std::size_t window_;
  std::size_t released_, under_way_ = 0, next_ = 0;
  std::map<std::size_t, Time> due_;  // by place in the inventory
};

}  // namespace registry::sim
