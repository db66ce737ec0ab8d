#include "simulators/mno/profiles.h"

namespace registry::sim {

std::optional<nlohmann::json> Profiles::Set(const std::string& iccid, bool enabled) {
  if (Enabled(iccid) != enabled) {
    const double drawn = std::uniform_real_distribution<double>(0, 1)(dice_);
    if (drawn < faults_.silence) return std::nullopt;
    if (drawn < faults_.silence + faults_.refuse) {
      return nlohmann::json{
          {"outcome", "failed"}, {"stage", "profile"}, {"reason", "profile_refused"}, {"retriable", false}};
    }
  }
  if (enabled) {
    disabled_.erase(iccid);
  } else {
    disabled_.insert(iccid);
  }
  return nlohmann::json{{"outcome", "success"}, {"stage", "executed"}};
}

}  // namespace registry::sim
