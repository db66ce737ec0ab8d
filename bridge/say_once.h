// bridge/say_once.h: a trouble that stays is said once, then once a minute; a different one at once.
// Plain value, one thread. Limit: kRemembered different texts; beyond them everything is forgotten and said again.
#pragma once

#include <chrono>
#include <map>
#include <string>

namespace registry {

class SayOnce {
 public:
  using Steady = std::chrono::steady_clock;
  static constexpr std::chrono::minutes kAgainAfter{1};
  static constexpr std::size_t kRemembered = 16;

  // Whether to say it now; then it counts as said.
  bool Due(const std::string& text, Steady::time_point now) {
    const auto said = said_.find(text);
    if (said != said_.end() && now - said->second < kAgainAfter) return false;
    if (said_.size() >= kRemembered) said_.clear();
    said_[text] = now;
    return true;
  }
  // The trouble is over: should it come back, it is said at once.
  void Forget() { said_.clear(); }

 private:
  std::map<std::string, Steady::time_point> said_;
};

}  // namespace registry
