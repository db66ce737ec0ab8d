#include "clients/conformance/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

namespace registry::conformance {
namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kLook{10};

// Mosquitto lies in sbin, which an ordinary user's PATH may lack.
std::string PathOf(const std::string& program) {
  if (program.find('/') != std::string::npos) return program;
  for (const char* folder : {"/usr/sbin/", "/usr/local/sbin/", "/usr/bin/", "/usr/local/bin/", "/bin/"}) {
    if (::access((folder + program).c_str(), X_OK) == 0) return folder + program;
  }
  return program;
}

std::vector<char*> PointersTo(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the child, between fork and exec: only what signal-safety(7) lists.
[[noreturn]] void Become(char* const* arguments, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (log >= 0) {
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
  }
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

Result<pid_t> Fork(std::vector<std::string> command, const std::string& log_file) {
  command[0] = PathOf(command[0]);
  if (::access(command[0].c_str(), X_OK) != 0)
    return Error::Make(Code::kFailed, "not_started", "there is no program " + command[0]);
  const auto arguments = PointersTo(command);
  const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) Become(arguments.data(), log, parent);
  if (log >= 0) ::close(log);
  if (pid < 0) return Error::Make(Code::kFailed, "not_started", command[0] + ": " + std::strerror(errno));
  return pid;
}

// nullopt: it has not ended by then.
std::optional<int> EndOf(pid_t pid, std::chrono::milliseconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid || (ended < 0 && errno != EINTR)) return status;
    if (std::chrono::steady_clock::now() >= until) return std::nullopt;
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

Result<std::unique_ptr<Child>> Child::Start(const std::vector<std::string>& command,
                                            const std::string& log_file) {
  auto pid = Fork(command, log_file);
  if (!pid) return pid.error();
  return std::unique_ptr<Child>(new Child(*pid));
}

bool Child::running() {
  if (pid_ > 0 && EndOf(pid_, std::chrono::milliseconds(0))) pid_ = -1;
  return pid_ > 0;
}

Child::~Child() {
  if (!running()) return;
  ::kill(pid_, SIGTERM);
  if (EndOf(pid_, kPatience)) return;
  ::kill(pid_, SIGKILL);
  EndOf(pid_, kPatience);
}

int StatusOfCommand(const std::string& command, const std::string& argument) {
  auto pid = Fork({"/bin/sh", "-c", command, "sh", argument}, "/dev/null");
  if (!pid) return -1;
  const auto status = EndOf(*pid, kPatience);
  if (status) return WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
  ::kill(*pid, SIGKILL);
  EndOf(*pid, kPatience);
  return -1;
}

}  // namespace registry::conformance
