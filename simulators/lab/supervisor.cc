#include "simulators/lab/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "simulators/lab/cpu.h"
#include "simulators/lab/probe.h"

namespace registry::lab {
namespace {

using nlohmann::json;

constexpr int kDiedCode = 70;
constexpr std::chrono::seconds kSupervisorPatience{90}, kProcessPatience{10};

std::atomic<bool> ended{false};
std::atomic<pid_t> forward_to{0};

extern "C" void NoteEnd(int signal) {
  ended = true;
  if (const pid_t child = forward_to; child > 0) ::kill(child, signal);
}

[[noreturn]] void WaitForChild(pid_t child, int from_child) {
  forward_to = child;
  unsigned char code = kDiedCode;
  ssize_t n = 0;
  do {
    n = ::read(from_child, &code, 1);
  } while (n < 0 && errno == EINTR);
  if (n != 1) ::waitpid(child, nullptr, 0);
  std::_Exit(n == 1 ? code : kDiedCode);
}

struct Known {
  pid_t pid = 0;
  std::uint64_t start_time = 0;
  bool Lives() const { return pid > 0 && StartTimeOf(pid) == start_time && start_time != 0; }
};

Known Read(const json& process) {
  return {process.value("pid", 0), process.value("start_time", std::uint64_t{0})};
}

bool EndOne(const Known& process, std::chrono::milliseconds patience) {
  if (!process.Lives()) return false;
  ::kill(process.pid, SIGTERM);
  if (!WaitUntil([&] { return !process.Lives(); }, patience)) ::kill(process.pid, SIGKILL);
  return true;
}

}  // namespace

const std::atomic<bool>& CatchEndSignals() {
  struct sigaction action {};
  action.sa_handler = &NoteEnd;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  return ended;
}

Supervisor Supervisor::Detach() {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) std::_Exit(kDiedCode);
  const pid_t child = ::fork();
  if (child < 0) std::_Exit(kDiedCode);
  if (child > 0) {
    ::close(pipe[1]);
    WaitForChild(child, pipe[0]);
  }
  ::close(pipe[0]);
  ::setsid();
  return Supervisor(pipe[1]);
}

void Supervisor::Release(int code, const std::string& log_file) {
  std::fflush(stdout);
  const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  ::close(nothing);
  ::close(log);
  const auto byte = static_cast<unsigned char>(code);
  (void)!::write(parent_, &byte, 1);
  ::close(parent_);
}

void Supervisor::WaitForEnd(const std::atomic<bool>& flag) {
  // poll(2) is cut short by the signal; the second is for one that came just before.
  while (!flag) ::poll(nullptr, 0, 1000);
}

json Supervisor::Description(const std::string& log_file) {
  return {{"name", "registry-lab"},
          {"pid", ::getpid()},
          {"start_time", StartTimeOf(::getpid())},
          {"log_file", log_file}};
}

Result<int> StopLab(const std::string& folder) {
  std::ifstream in(folder + "/lab.json");
  const json lab = json::parse(in, nullptr, false);
  if (!lab.is_object() || !lab.contains("processes")) {
    return Error::Make(Code::kNotFound, "no_lab", "no lab is described in " + folder + "/lab.json");
  }
  int one_by_one = 0;
  bool first = true;
  for (const json& process : lab["processes"]) {
    const bool supervisor = std::exchange(first, false) && process.value("name", "") == "registry-lab";
    if (supervisor) {
      EndOne(Read(process), kSupervisorPatience);
    } else if (EndOne(Read(process), kProcessPatience)) {
      ++one_by_one;
    }
  }
  return one_by_one;
}

}  // namespace registry::lab
