// bridge/app/supervision.h: what registryd tells the supervisor that started it, by sd_notify(3): that it serves, that it
// lives, that it stops. Says nothing where NOTIFY_SOCKET is not set, as in a terminal.
// Threads: the main one. Errors: none; a supervisor that does not hear it acts by its own deadlines (systemd.service(5),
// TimeoutStartSec=, WatchdogSec=).
// A watchdog shorter than kWatchdogMin is met late: Alive is said once a second.
#pragma once

#include <chrono>
#include <string>

namespace registry::app {

inline constexpr std::chrono::seconds kWatchdogMin{5};

class Supervision {
 public:
  // `status`: a line for people (systemctl status).
  void Ready(const std::string& status) const;
  void Status(const std::string& status) const;
  // Also while the disk does not answer: a restart would wait for the same disk, and /healthz says it.
  void Alive() const;
  void Stopping() const;
};

}  // namespace registry::app
