// simulators/mno/profiles.h: which profiles of the MNO's are disabled, and how it answers when it is asked to enable or
// disable one. What is so already is answered as done, however often it is asked for.
// Fault model: ProfileFaults below, from a seed: it may refuse for good, or say nothing to this attempt.
// Not thread-safe: its owner holds a lock.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <string>

namespace registry::sim {

struct ProfileFaults {
  double refuse = 0, silence = 0;  // probability per attempt that would change something
  std::uint64_t seed = 1;
};

class Profiles {
 public:
  explicit Profiles(const ProfileFaults& faults) : faults_(faults), dice_(faults.seed) {}

  // One that is on an eUICC, disabled.
  void Install(const std::string& iccid) { disabled_.insert(iccid); }
  // The result to report; nullopt: nothing is said.
  std::optional<nlohmann::json> Set(const std::string& iccid, bool enabled);
  bool Enabled(const std::string& iccid) const { return !disabled_.contains(iccid); }

 private:
  const ProfileFaults faults_;
  std::mt19937_64 dice_;
  std::set<std::string> disabled_;
};

}  // namespace registry::sim
