// simulators/console/console.h: how a simulator is run by somebody else: `PROGRAM --config FILE`, JSON lines in on
// standard input, JSON lines out on standard output (report.h), until its input ends or SIGTERM or SIGINT comes.
// Owns: the signals of the process from CatchSignals on. Threads: the main thread, before any other is started.
// Errors: a line that is no JSON object is passed over. Limits: a line is at most kLineMax octets; a longer one is
//   passed over as well.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace registry::sim {

class Console {
 public:
  static constexpr std::size_t kLineMax = 64 * 1024;
  using Control = std::function<void(const nlohmann::json& command)>;

  // Blocks SIGTERM and SIGINT for this thread and every one it starts, and takes them from a descriptor; ignores
  // SIGPIPE, since who listens to us may end first.
  static Console CatchSignals();
  ~Console();
  Console(Console&& other) noexcept;
  Console& operator=(Console&&) = delete;

  // Hands every line to `control`; returns when the input ends or a signal came.
  void Serve(const Control& control) const;

 private:
  explicit Console(int signals) : signals_(signals) {}
  int signals_;
};

}  // namespace registry::sim
