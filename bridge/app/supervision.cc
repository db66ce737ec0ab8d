#include "bridge/app/supervision.h"

#include <systemd/sd-daemon.h>

namespace registry::app {
namespace {

constexpr int kKeepSocket = 0;  // what is told to ends with the process, not with the first word

void Tell(const std::string& what) { sd_notify(kKeepSocket, what.c_str()); }

}  // namespace

void Supervision::Ready(const std::string& status) const { Tell("READY=1\nSTATUS=" + status); }

void Supervision::Status(const std::string& status) const { Tell("STATUS=" + status); }

void Supervision::Alive() const { Tell("WATCHDOG=1"); }

void Supervision::Stopping() const { Tell("STOPPING=1"); }

}  // namespace registry::app
