// bridge/app/log.h: one JSON object per line: time (RFC 3339, UTC), level, room, message.
// Owns: the file, appended to; opened again by Reopen (SIGHUP), so that it can be rotated. Threads: all
//   calls from any.
// Errors: log_failed when the file cannot be opened. Privacy: every line passes Redact.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge/log_line.h"
#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"

namespace registry::app {

class Log {
 public:
  static Result<std::unique_ptr<Log>> Open(const std::string& file, int level);  // empty: standard error
  virtual ~Log() = default;
  virtual void Write(int level, std::string_view room, std::string_view message) = 0;
  virtual Status Reopen() = 0;
  // The last kRecentMax warnings and errors that were written, the newest last, as they stand in the file.
  struct Line {
    UtcTime at;
    int level = Level::kWarning;
    std::string room, message;
  };
  static constexpr std::size_t kRecentMax = 50;
  virtual std::vector<Line> recent() const = 0;
  // What a room says through; the log must outlive it.
  LogLine For(std::string room);
};

}  // namespace registry::app
