// bridge/zone/accept_pause.h: what a server does when no descriptor is free for a connection that waits (EMFILE and the
// like): it says so once a minute, and does not look at the listener again before kPause, or poll would return at once for
// ever. Plain value, one thread.
#pragma once

#include <cstring>
#include <string>

#include "bridge/log_line.h"
#include "bridge/say_once.h"
#include "bridge/zone/socket.h"

namespace registry::zone {

class AcceptPause {
 public:
  using Steady = SayOnce::Steady;
  static constexpr std::chrono::milliseconds kPause{1000};

  bool Over(Steady::time_point now) const { return now >= until_; }
  // accept failed with `why`; `line` begins what is said of it.
  void Failed(int why, Steady::time_point now, const std::string& line, const LogLine& log) {
    if (!IsExhausted(why)) return;
    until_ = now + kPause;
    const std::string said = line + ": " + std::strerror(why);
    if (said_.Due(said, now)) log.Error(said);
  }

 private:
  Steady::time_point until_;
  SayOnce said_;
};

}  // namespace registry::zone
