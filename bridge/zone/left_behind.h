// bridge/zone/left_behind.h: whether one server that lags is still waited for (Options::lag_limit). It is left behind when
// it has served nothing new for longer than that, and is back when nothing is missing there.
// Threads: one.
#pragma once

#include <chrono>
#include <string>

namespace registry::zone {

class LeftBehind {
 public:
  using Steady = std::chrono::steady_clock;

  bool left() const { return left_; }
  Steady::time_point since() const { return since_; }  // of the last time that it was
  // Since when it has served nothing new; zero: it is not left behind.
  std::chrono::milliseconds left_for(Steady::time_point now) const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(left_ ? now - since_ : Steady::duration{});
  }
  // `behind`: for how long it has served nothing new. `limit` zero: it is waited for for ever. What has changed, to be said
  // behind its name; empty: nothing.
  std::string Judge(Steady::duration behind, Steady::duration limit, Steady::time_point now) {
    const Steady::duration none{};
    const bool left = left_ ? behind > none : limit > none && behind > limit;
    if (left == left_) return "";
    left_ = left;
    if (left) since_ = now - behind;
    return left ? " is left behind: it has served nothing new for " + Seconds(behind)
                : " has caught up after " + Seconds(now - since_);
  }

 private:
  static std::string Seconds(Steady::duration time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
  }

  bool left_ = false;
  Steady::time_point since_;
};

}  // namespace registry::zone
