// device-sim --config FILE: see README.md. Ends with exit code 0 when its input ends or on SIGTERM.
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "simulators/device/fleet.h"

namespace {

using registry::sim::Fleet;

// Blocked here, before any thread starts, so that only the descriptor hears them.
int SignalDescriptor() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

void TakeLines(std::string& pending, Fleet& fleet) {
  for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
    const auto command = nlohmann::json::parse(pending.substr(0, end), nullptr, false);
    pending.erase(0, end + 1);
    if (command.is_object()) fleet.Control(command);
  }
}

void ServeInput(int signals, Fleet& fleet) {
  pollfd fds[2] = {{signals, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  std::string pending;
  char part[4096];
  while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
    if (fds[0].revents != 0) return;
    if (fds[1].revents == 0) continue;
    const ssize_t size = read(STDIN_FILENO, part, sizeof part);
    if (size <= 0) return;
    pending.append(part, static_cast<std::size_t>(size));
    TakeLines(pending, fleet);
  }
}

void PrintLine(const nlohmann::json& event) {
  const std::string line = event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], "--config") != 0) {
    std::cerr << "usage: device-sim --config FILE\n";
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  const int signals = SignalDescriptor();
  const auto config = registry::sim::ReadDeviceConfig(argv[2]);
  if (!config) {
    std::cerr << "device-sim: " << config.error().message << "\n";
    return 2;
  }
  registry::sim::DeviceReport report(PrintLine);
  auto fleet = Fleet::Start(*config, report);
  if (!fleet) {
    std::cerr << "device-sim: " << fleet.error().message << "\n";
    return 1;
  }
  report.Say({{"event", "ready"}, {"program", "device-sim"}});
  ServeInput(signals, **fleet);
  return 0;
}
