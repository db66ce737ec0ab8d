// mno-sim --config FILE: see README.md. Ends with exit code 0 when its input ends or on SIGTERM.
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <iostream>

#include "simulators/mno/mno_sim.h"

namespace {

// Blocked here, before any thread starts, so that only the descriptor hears them.
int SignalDescriptor() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

void WaitForEnd(int signals) {
  pollfd fds[2] = {{signals, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  char ignored[4096];  // no control commands yet
  while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
    if (fds[0].revents != 0) return;
    if (fds[1].revents != 0 && read(STDIN_FILENO, ignored, sizeof ignored) <= 0) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], "--config") != 0) {
    std::cerr << "usage: mno-sim --config FILE\n";
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  const int signals = SignalDescriptor();
  auto config = registry::sim::ReadMnoConfig(argv[2]);
  if (!config) {
    std::cerr << "mno-sim: " << config.error().message << "\n";
    return 2;
  }
  registry::sim::Report report(stdout);
  const std::string party = config->mqtt.party;
  auto mno = registry::sim::MnoSim::Start(std::move(*config), report);
  if (!mno) {
    std::cerr << "mno-sim: " << mno.error().message << "\n";
    return 1;
  }
  report.Say({{"event", "ready"}, {"program", "mno-sim"}, {"party", party}});
  WaitForEnd(signals);
  return 0;
}
