#include "simulators/console/console.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>
#include <utility>

namespace registry::sim {
namespace {

void TakeLines(std::string& pending, const Console::Control& control) {
  for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
    const auto command = nlohmann::json::parse(pending.substr(0, end), nullptr, false);
    pending.erase(0, end + 1);
    if (command.is_object()) control(command);
  }
  if (pending.size() > Console::kLineMax) pending.clear();
}

}  // namespace

Console Console::CatchSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return Console(signalfd(-1, &signals, SFD_CLOEXEC));
}

Console::Console(Console&& other) noexcept : signals_(std::exchange(other.signals_, -1)) {}

Console::~Console() {
  if (signals_ >= 0) ::close(signals_);
}

void Console::Serve(const Control& control) const {
  pollfd fds[2] = {{signals_, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  std::string pending;
  char part[4096];
  while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
    if (fds[0].revents != 0) return;
    if (fds[1].revents == 0) continue;
    const ssize_t size = read(STDIN_FILENO, part, sizeof part);
    if (size <= 0) return;
    pending.append(part, static_cast<std::size_t>(size));
    TakeLines(pending, control);
  }
}

}  // namespace registry::sim
