// simulators/mno/subscriptions.h: which of this MNO's eSIMs is which profile of which device. The registry names a profile
// by the device's UUID and a number; the MNO's network knows ICCIDs.
// Not thread-safe: its owner holds a lock.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

namespace registry::sim {

// Of an action, whose applet it is about; 0: it does not say.
inline std::uint32_t ProfileOf(const nlohmann::json& action) {
  const auto number = action.find("profile");
  return number != action.end() && number->is_number_unsigned() ? number->get<std::uint32_t>() : 0;
}

class Subscriptions {
 public:
  void Add(const std::string& device, std::uint32_t profile, const std::string& iccid);
  // A transfer was requested for it: the first action for a number that is not known yet is for this eSIM.
  void Expect(const std::string& device, const std::string& iccid);
  // nullopt: none of this MNO's. A profile of 0 is the device's newest one here.
  std::optional<std::string> Find(const std::string& device, std::uint32_t profile);

 private:
  std::map<std::pair<std::string, std::uint32_t>, std::string> iccids_;
  std::map<std::string, std::string> expected_;  // by device
};

}  // namespace registry::sim
