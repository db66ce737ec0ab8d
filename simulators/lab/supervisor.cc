#include "simulators/lab/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "simulators/lab/described.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/usage.h"

namespace registry::lab {
namespace {

using nlohmann::json;

constexpr int kDiedCode = 70;
constexpr std::chrono::seconds kSupervisorPatience{90}, kProcessPatience{10}, kKillPatience{3};
constexpr const char* kSupervisorName = "registry-lab";

std::atomic<bool> ended{false};
std::atomic<int> end_signal{0};
std::atomic<pid_t> forward_to{0};

extern "C" void NoteEnd(int signal) {
  end_signal = signal;
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

enum class Ending { kWasGone, kEnded, kStillLives };

Ending EndOne(const DescribedProcess& process, std::chrono::milliseconds patience) {
  if (!process.Lives()) return Ending::kWasGone;
  const auto gone = [&process] { return !process.Lives(); };
  if (::kill(process.pid, SIGTERM) == 0) {
    if (WaitUntil(gone, patience)) return Ending::kEnded;
    ::kill(process.pid, SIGKILL);
  }
  // Somebody else's process (EPERM), or one in the middle of a system call that does not end.
  return WaitUntil(gone, kKillPatience) ? Ending::kEnded : Ending::kStillLives;
}

}  // namespace

const std::atomic<bool>& CatchEndSignals() {
  struct sigaction action {};
  action.sa_handler = &NoteEnd;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  return ended;
}

int InterruptedCode() { return 128 + end_signal; }

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
  const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
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

void Supervisor::WaitForEnd(const std::atomic<bool>& flag, const std::function<void()>& look) {
  // poll(2) is cut short by the signal; the second is for one that came just before.
  for (; !flag; look()) ::poll(nullptr, 0, 1000);
}

json Supervisor::Description(const std::string& log_file) {
  return {{"name", kSupervisorName},
          {"pid", ::getpid()},
          {"start_time", StartTimeOf(::getpid())},
          {"log_file", log_file}};
}

Result<int> StopLab(const std::string& folder) {
  const auto processes = ReadDescribed(folder);
  if (!processes) return processes.error();
  int one_by_one = 0;
  std::string left;
  for (const DescribedProcess& process : *processes) {
    const bool supervisor = &process == &processes->front() && process.name == kSupervisorName;
    const Ending ending = EndOne(process, supervisor ? kSupervisorPatience : kProcessPatience);
    if (ending == Ending::kEnded && !supervisor) ++one_by_one;
    if (ending == Ending::kStillLives) left += " " + process.name + " (" + std::to_string(process.pid) + ")";
  }
  if (left.empty()) return one_by_one;
  return Error::Make(Code::kFailed, "still_lives", "could not be ended:" + left);
}

}  // namespace registry::lab
