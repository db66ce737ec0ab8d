// bridge/app/log.h: one JSON object per line: time (RFC 3339, UTC), level, room, message.
// Owns: the file, appended to; opened again by Reopen (SIGHUP), so that it can be rotated. Threads: all
//   calls from any.
// Errors: log_failed when the file cannot be opened. Privacy: every line passes Redact.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "schemas/base/result.h"

namespace registry::app {

class Log {
 public:
  using Line =
      std::function<void(int level, const std::string& line)>;  // 0 debug, 1 info, 2 warning, 3 error

  static Result<std::unique_ptr<Log>> Open(const std::string& file, int level);  // empty: standard error
  virtual ~Log() = default;
  virtual void Write(int level, std::string_view room, std::string_view message) = 0;
  virtual Status Reopen() = 0;
  // For rooms that take a function; the log must outlive it.
  Line For(std::string room);
};

}  // namespace registry::app
