#include "simulators/lab/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

namespace registry::lab {
namespace {

Error NotStarted(const std::string& name, const std::string& why) {
  return Error::Make(Code::kFailed, "not_started", name + ": " + why);
}

struct Pipes {
  int input[2] = {-1, -1};   // we write [1], it reads [0]
  int output[2] = {-1, -1};  // it writes [1], we read [0]
  int log = -1;
  int failure[2] = {-1, -1};  // errno of a failed exec; closed by a good one

  ~Pipes() {
    for (int fd : {input[0], input[1], output[0], output[1], log, failure[0], failure[1]}) {
      if (fd >= 0) ::close(fd);
    }
  }
};

bool Open(const ProcessSpec& spec, Pipes& pipes) {
  const std::string log = spec.log_file.empty() ? "/dev/null" : spec.log_file;
  pipes.log = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (pipes.log < 0 || ::pipe2(pipes.failure, O_CLOEXEC) != 0) return false;
  if (!spec.on_line) {
    pipes.input[0] = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    return pipes.input[0] >= 0;
  }
  return ::pipe2(pipes.input, O_CLOEXEC) == 0 && ::pipe2(pipes.output, O_CLOEXEC) == 0;
}

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (const auto& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  return pointers;
}

// Of two values of a name getenv(3) takes the first and a shell the last.
bool Given(const std::vector<std::string>& environment, std::string_view ours) {
  const std::string_view name = ours.substr(0, ours.find('=') + 1);
  return std::any_of(environment.begin(), environment.end(),
                     [name](const std::string& given) { return given.starts_with(name); });
}

// Between fork and exec of a program with threads: system calls only.
[[noreturn]] void BecomeChild(const Pipes& pipes, const char* folder, const char* path, char* const* argv,
                              char* const* environment, pid_t parent) {
  ::setpgid(0, 0);
  ::umask(077);  // what it writes, Mosquitto's log for one, names client ids and devices
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);  // the parent died before the prctl
  ::dup2(pipes.input[0], 0);
  ::dup2(pipes.output[1] >= 0 ? pipes.output[1] : pipes.log, 1);
  ::dup2(pipes.log, 2);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  if (*folder == '\0' || ::chdir(folder) == 0) ::execve(path, argv, environment);
  const int why = errno;
  (void)!::write(pipes.failure[1], &why, sizeof why);
  ::_exit(127);
}

}  // namespace

std::string FindProgram(const std::string& name) {
  const auto executable = [](const std::string& path) { return ::access(path.c_str(), X_OK) == 0; };
  if (name.find('/') != std::string::npos) return executable(name) ? name : std::string();
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "" : path) +
                             ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (!folder.empty() && executable(folder + "/" + name)) return folder + "/" + name;
  }
  return {};
}

std::string TailOf(const std::string& file, std::size_t lines) {
  std::ifstream in(file);
  std::deque<std::string> last;
  for (std::string line; std::getline(in, line);) {
    last.push_back(line);
    if (last.size() > lines) last.pop_front();
  }
  std::string text;
  for (const auto& line : last) text += line + "\n";
  return text;
}

Result<std::unique_ptr<Process>> Process::Start(ProcessSpec spec) {
  if (spec.command.empty()) return NotStarted(spec.name, "no command");
  const std::string path = FindProgram(spec.command[0]);
  if (path.empty()) return NotStarted(spec.name, spec.command[0] + " is not installed or not built");
  Pipes pipes;
  if (!Open(spec, pipes)) return NotStarted(spec.name, std::strerror(errno));
  std::unique_ptr<Process> process(new Process(std::move(spec)));
  auto argv = Pointers(process->spec_.command), environment = Pointers(process->spec_.environment);
  argv.push_back(nullptr);
  for (char** ours = ::environ; *ours != nullptr; ++ours) {
    if (!Given(process->spec_.environment, *ours)) environment.push_back(*ours);
  }
  environment.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return NotStarted(process->spec_.name, std::strerror(errno));
  if (pid == 0) {
    const char* folder = process->spec_.folder.c_str();
    BecomeChild(pipes, folder, path.c_str(), argv.data(), environment.data(), parent);
  }
  ::setpgid(pid, pid);  // both sides do it, so that neither has to wait for the other
  ::close(std::exchange(pipes.failure[1], -1));
  int why = 0;
  if (::read(pipes.failure[0], &why, sizeof why) == static_cast<ssize_t>(sizeof why)) {
    ::waitpid(pid, nullptr, 0);
    return NotStarted(process->spec_.name, path + ": " + std::strerror(why));
  }
  process->pid_ = pid;
  {
    const MutexLock lock(process->input_mutex_);
    process->input_ = std::exchange(pipes.input[1], -1);
  }
  process->waiter_.Start("process-end", [raw = process.get()] { raw->WaitLoop(); });
  if (const int output = std::exchange(pipes.output[0], -1); output >= 0) {
    const int log = std::exchange(pipes.log, -1);
    process->reader_.Start("process-output",
                           [raw = process.get(), output, log] { raw->ReadLoop(output, log); });
  }
  return process;
}

Process::~Process() {
  if (pid_ < 0) return;
  Stop();
  waiter_.Stop();
  reader_.Stop();
}

void Process::WaitLoop() {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  {
    const MutexLock lock(mutex_);
    int status = 0;
    // Whoever is left of its group ends with it. The unreaped process still keeps the group's number from
    // being reused.
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
    status_ = status;
  }
  ended_.NotifyAll();
  if (spec_.on_exit) spec_.on_exit();
}

void Process::ReadLoop(int output, int log) {
  std::string pending;
  char chunk[16384];
  for (ssize_t n; (n = ::read(output, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR);) {
    if (n > 0) pending.append(chunk, static_cast<std::size_t>(n));
    // Whole lines in one write, so that they do not mix with what it says on standard error (O_APPEND).
    if (const std::size_t whole = pending.rfind('\n') + 1; whole > 0)
      (void)!::write(log, pending.data(), whole);
    std::size_t start = 0;
    for (std::size_t end; (end = pending.find('\n', start)) != std::string::npos; start = end + 1) {
      spec_.on_line(pending.substr(start, end - start));
    }
    pending.erase(0, start);
  }
  ::close(output);
  ::close(log);
}

bool Process::running() const { return !exit_status(); }

std::optional<int> Process::exit_status() const {
  const MutexLock lock(mutex_);
  return status_;
}

bool Process::WriteLine(const std::string& line) {
  const MutexLock lock(input_mutex_);
  const std::string text = line + "\n";
  // pipe(7): writable means that there is room for PIPE_BUF octets, so a line up to that never blocks.
  pollfd room{input_, POLLOUT, 0};
  if (input_ < 0 || ::poll(&room, 1, static_cast<int>(kWritePatience.count())) != 1) return false;
  return ::write(input_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool Process::WaitExit(std::chrono::milliseconds deadline) {
  MutexLock lock(mutex_);
  return ended_.WaitFor(lock, deadline, [this]() REQUIRES(mutex_) { return status_.has_value(); });
}

void Process::Signal(int signal) {
  const MutexLock lock(mutex_);
  if (!status_) ::kill(pid_, signal);
}

void Process::CloseInput() {
  const MutexLock lock(input_mutex_);
  if (input_ >= 0) ::close(std::exchange(input_, -1));
}

bool Process::Stop(std::chrono::milliseconds deadline) {
  CloseInput();
  Signal(SIGTERM);
  if (WaitExit(deadline)) return true;
  {
    const MutexLock lock(mutex_);
    if (!status_) ::kill(-pid_, SIGKILL);
  }
  WaitExit(std::chrono::seconds(5));
  return false;
}

std::string Process::Obituary() const {
  const auto status = exit_status();
  std::string text = spec_.name;
  if (!status) {
    text += " is still running";
  } else if (WIFSIGNALED(*status)) {
    text += " was ended by signal " + std::to_string(WTERMSIG(*status));
  } else {
    text += " ended with status " + std::to_string(WEXITSTATUS(*status));
  }
  const std::string tail = TailOf(spec_.log_file, 20);
  return text + (tail.empty() ? "; its log is empty" : "; the end of " + spec_.log_file + ":\n" + tail);
}

Result<std::string> RunToEnd(const std::vector<std::string>& command, const std::string& folder,
                             std::chrono::milliseconds deadline) {
  if (command.empty()) return NotStarted("", "no command");
  std::string log = (std::filesystem::temp_directory_path() / "iot-registry-lab-XXXXXX").string();
  const int fd = ::mkstemp(log.data());
  if (fd < 0) return NotStarted(command[0], std::strerror(errno));
  ::close(fd);
  std::string out;
  ProcessSpec spec{command[0], command, folder, log, [&out](const std::string& line) { out += line + "\n"; },
                   {}};
  auto process = Process::Start(std::move(spec));
  if (!process) return process.error();
  (*process)->CloseInput();
  const bool ended = (*process)->WaitExit(deadline);
  if (!ended) (*process)->Stop(std::chrono::milliseconds(0));
  const bool good = ended && (*process)->exit_status() == 0;
  const std::string obituary = good ? "" : (*process)->Obituary();
  process->reset();  // joins the reader, so `out` is whole
  ::unlink(log.c_str());
  if (good) return out;
  return Error::Make(Code::kFailed, "command_failed", obituary + out);
}

}  // namespace registry::lab
