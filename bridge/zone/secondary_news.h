// bridge/zone/secondary_news.h: what somebody outside the log is told of a secondary: that it is left behind, and that it is
// not any more. It is told until it is taken, the newest state only; after a recovery nothing for ten minutes.
// Threads: LagTold belongs to one; what is called waits in that thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "bridge/zone/left_behind.h"

namespace registry::zone {

struct SecondaryNews {
  std::string secondary;
  bool left_behind = false;
  std::chrono::milliseconds lasted{0};  // since it served something new last, before it was left behind
};
// False: not now; it is called again.
using SecondaryTold = std::function<bool(const SecondaryNews&)>;

class LagTold {
 public:
  using Steady = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kAgain{10};
  // One that comes and goes is no more news than one that is away.
  static constexpr std::chrono::minutes kNextAfter{10};

  void Look(const std::string& secondary, const LeftBehind& state, const SecondaryTold& tell,
            Steady::time_point now) {
    if (!tell || state.left() == told_ || now < again_) return;
    const auto lasted = std::chrono::duration_cast<std::chrono::milliseconds>(now - state.since());
    if (tell({secondary, state.left(), lasted})) {
      told_ = state.left();
      if (!told_) again_ = now + kNextAfter;
    } else {
      again_ = now + kAgain;
    }
  }

 private:
  bool told_ = false;
  Steady::time_point again_;
};

}  // namespace registry::zone
