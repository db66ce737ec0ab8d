// bridge/log_line.h: what a room has to say to an operator: a level by its name, and a line.
// Owns: the sink it was made of. Without one nothing is said. The sink of registryd adds time and room and leaves out what
//   nobody may read (bridge/app/log.h).
// Threads: const, any, as the sink allows; that of registryd may be called from all.
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

namespace registry {

// As `log.level` of the configuration counts them.
struct Level {
  static constexpr int kDebug = 0, kInfo = 1, kWarning = 2, kError = 3;
};

class LogLine {
 public:
  LogLine() = default;
  template <typename Sink>
  requires(!std::same_as<std::remove_cvref_t<Sink>, LogLine> &&
           std::is_invocable_v<Sink&, int, const std::string&>) LogLine(Sink sink)
      : sink_(std::move(sink)) {}

  void Debug(const std::string& line) const { (*this)(Level::kDebug, line); }
  void Info(const std::string& line) const { (*this)(Level::kInfo, line); }
  void Warning(const std::string& line) const { (*this)(Level::kWarning, line); }
  void Error(const std::string& line) const { (*this)(Level::kError, line); }
  void operator()(int level, const std::string& line) const {
    if (sink_) sink_(level, line);
  }

 private:
  std::function<void(int level, const std::string& line)> sink_;
};

}  // namespace registry
