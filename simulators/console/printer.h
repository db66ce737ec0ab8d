// simulators/console/printer.h: events on standard output, one line of JSON each. A line leaves at once when none did for
// a moment; of many in a row, those of that moment leave together, since otherwise every line costs two processes a
// system call.
// Owns: one thread. The destructor prints what is left.
// Threads: Print from any thread; it waits while too much is unread.
// Limits: kUnreadMax octets wait to be read by the other end; whoever prints more waits for it, as with a pipe.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::sim {

class Printer {
 public:
  static constexpr std::chrono::milliseconds kMoment{5};
  static constexpr std::size_t kUnreadMax = 1 << 20;

  explicit Printer(int descriptor = 1);
  ~Printer();
  void Print(const nlohmann::json& event);

 private:
  void Loop();
  void Write(const std::string& lines) const;

  const int descriptor_;
  Mutex mutex_;
  CondVar said_, room_;
  std::string lines_ GUARDED_BY(mutex_);
  bool waiting_ GUARDED_BY(mutex_) = false;  // the thread, for a line
  OwnThread thread_{mutex_, said_};
};

}  // namespace registry::sim
