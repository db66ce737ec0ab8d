// simulators/lab/supervisor.h: the process that stays behind when a lab is kept: its servers are its children, and
// its open pipes are what the simulators live by.
// Detach forks before any thread exists. The parent waits until the child says how it went and ends with that exit
// code; the child is its own session, so that the shell's Ctrl-C no longer reaches the lab.
#pragma once

#include <atomic>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "schemas/base/result.h"

namespace registry::lab {

// SIGINT and SIGTERM set this; call once, early.
const std::atomic<bool>& CatchEndSignals();
// What a program ends with that was interrupted, as shells count it: 130 after Ctrl-C, 143 after SIGTERM.
int InterruptedCode();

class Supervisor {
 public:
  // Returns in the child only, connected to the waiting parent.
  static Supervisor Detach();
  // Lets the parent end with `code`; standard output and error go to `log_file` from here.
  void Release(int code, const std::string& log_file);
  // Until SIGTERM or SIGINT; looks after the lab every second.
  static void WaitForEnd(const std::atomic<bool>& ended, const std::function<void()>& look);
  // How lab.json lists this process.
  static nlohmann::json Description(const std::string& log_file);

 private:
  explicit Supervisor(int parent) : parent_(parent) {}
  int parent_;
};

// Ends the lab described in <folder>/lab.json: its supervisor first, then whatever is left of its processes, each
// only if number and start time are the same. Answers how many had to be ended one by one. Errors: no_lab; still_lives,
// naming the processes that SIGKILL did not end.
Result<int> StopLab(const std::string& folder);

}  // namespace registry::lab
