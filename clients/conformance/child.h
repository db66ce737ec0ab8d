// clients/conformance/child.h: one program that runs as long as this object does: the broker.
// Owns: the process, which also ends when the thread that started it ends. Threads: one.
// Errors: not_started. Its standard output and error go to `log_file`.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "schemas/base/result.h"

namespace registry::conformance {

class Child {
 public:
  static Result<std::unique_ptr<Child>> Start(const std::vector<std::string>& command,
                                              const std::string& log_file);
  ~Child();  // SIGTERM, and SIGKILL after kPatience
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  bool running();

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

// Runs a shell command with `argument` as its $1 and answers its exit status; -1: it did not end by itself within ten
// seconds.
int StatusOfCommand(const std::string& command, const std::string& argument);

}  // namespace registry::conformance
