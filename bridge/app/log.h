// bridge/app/log.h: one JSON object per line: time (RFC 3339, UTC), level, room, message.
// Owns: the file, appended to; opened again by Reopen (SIGHUP), so that it can be rotated. Threads: all
//   calls from any.
// Errors: log_failed when the file cannot be opened. Privacy: every line passes Redact.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bridge/log_line.h"
#include "schemas/base/result.h"

namespace registry::app {

class Log {
 public:
  static Result<std::unique_ptr<Log>> Open(const std::string& file, int level);  // empty: standard error
  virtual ~Log() = default;
  virtual void Write(int level, std::string_view room, std::string_view message) = 0;
  virtual Status Reopen() = 0;
  // What a room says through; the log must outlive it.
  LogLine For(std::string room);
};

}  // namespace registry::app
