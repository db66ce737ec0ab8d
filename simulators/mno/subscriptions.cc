#include "simulators/mno/subscriptions.h"

#include <limits>

namespace registry::sim {

void Subscriptions::Add(const std::string& device, std::uint32_t profile, const std::string& iccid) {
  iccids_[{device, profile}] = iccid;
}

void Subscriptions::Expect(const std::string& device, const std::string& iccid) { expected_[device] = iccid; }

std::optional<std::string> Subscriptions::Find(const std::string& device, std::uint32_t profile) {
  if (profile == 0) {
    auto newest = iccids_.upper_bound({device, std::numeric_limits<std::uint32_t>::max()});
    if (newest == iccids_.begin() || (--newest)->first.first != device) return std::nullopt;
    return newest->second;
  }
  if (const auto found = iccids_.find({device, profile}); found != iccids_.end()) return found->second;
  const auto expected = expected_.extract(device);
  if (expected.empty()) return std::nullopt;
  Add(device, profile, expected.mapped());
  return expected.mapped();
}

}  // namespace registry::sim
