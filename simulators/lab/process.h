// simulators/lab/process.h: one child process of the lab, with its log file and, if wanted, its pipes.
// Owns: the process (its own process group, told to stop when this program dies), its log file handle, a thread that
//   waits for its end and, with on_line, one that reads its standard output.
// Threads: Start from a thread that lives as long as the program: the kernel sends the parent-death signal when the
//   *thread* that forked ends (prctl(2), PR_SET_PDEATHSIG). Everything else from any thread; handlers run on this
//   object's threads and must not destroy it.
// Files: what the process makes is its user's alone (umask 077), as is its log.
// Errors: Start answers "not_started" with the reason (no such program, not executable).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "schemas/base/result.h"

namespace registry::lab {

struct ProcessSpec {
  std::string name;
  std::vector<std::string>
      command;           // program (a path, or a name looked up in PATH and the sbin folders), arguments
  std::string folder;    // working directory, empty: ours
  std::string log_file;  // standard error and output; with on_line set, output line by line as it is read
  std::function<void(const std::string& line)>
      on_line;                                // set: standard output is read; standard input is a pipe
  std::function<void()> on_exit;              // once, when it has ended for whatever reason
  std::vector<std::string> environment = {};  // "NAME=value"; else ours
};

// Full path of a program, empty when it is nowhere.
std::string FindProgram(const std::string& name);
// The last `lines` lines of a file, for saying why a process ended.
std::string TailOf(const std::string& file, std::size_t lines);
// Runs a command to its end, standard output into `out`; an Error holds what it printed. Killed at the deadline.
Result<std::string> RunToEnd(const std::vector<std::string>& command, const std::string& folder = {},
                             std::chrono::milliseconds deadline = std::chrono::seconds(60));

class Process {
 public:
  static constexpr std::chrono::milliseconds kWritePatience{1000};
  static Result<std::unique_ptr<Process>> Start(ProcessSpec spec);
  ~Process();  // Stop with its default deadline
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  const ProcessSpec& spec() const { return spec_; }
  pid_t pid() const { return pid_; }
  bool running() const;
  std::optional<int> exit_status() const;  // as of waitpid(2)
  // To its standard input, whole or not at all. False: it has ended, or has not read for kWritePatience; then a line over
  // PIPE_BUF (pipe(7), 4096 octets) may be lost in part.
  bool WriteLine(const std::string& line);
  void CloseInput();
  bool WaitExit(std::chrono::milliseconds deadline);
  void Signal(int signal);  // to the process only; nothing when it has ended
  // End of input and SIGTERM, then SIGKILL to the whole group after the deadline. True when it ended by itself.
  bool Stop(std::chrono::milliseconds deadline = std::chrono::seconds(10));
  std::string Obituary() const;  // "name ended with status 1; the end of its log: ..."

 private:
  explicit Process(ProcessSpec spec) : spec_(std::move(spec)) {}
  void WaitLoop();
  void ReadLoop(int output, int log);

  const ProcessSpec spec_;
  pid_t pid_ = -1;
  mutable Mutex mutex_;
  CondVar ended_;
  std::optional<int> status_ GUARDED_BY(mutex_);  // so is the reaping, so that no signal meets a reused pid
  int input_ GUARDED_BY(input_mutex_) = -1;
  Mutex input_mutex_;
  OwnThread waiter_, reader_;  // end with the process
};

}  // namespace registry::lab
