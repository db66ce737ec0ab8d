#include "bridge/app/log.h"

#include <fcntl.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <nlohmann/json.hpp>
#include <system_error>

#include "bridge/app/redact.h"
#include "bridge/clock.h"
#include "bridge/say_once.h"
#include "schemas/base/mutex.h"

namespace registry::app {
namespace {

constexpr char kPattern[] = R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})";

spdlog::level::level_enum LevelOf(int level) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                   spdlog::level::warn, spdlog::level::err};
  return kLevels[level < 0 ? 0 : level > 3 ? 3 : level];
}

std::string Quoted(std::string_view text) {
  return nlohmann::json(Redact(text)).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

// The system's own reason, which the library wraps in words of its own.
std::string WhyNot(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return std::generic_category().message(errno);
  ::close(descriptor);
  return "it can now";  // whatever stood in the way has gone meanwhile
}

class JsonLog : public Log {
 public:
  JsonLog(std::string file, int level) : file_(std::move(file)), level_(LevelOf(level)) {}

  Status Reopen() override {
    try {
      spdlog::sink_ptr sink;
      if (file_.empty()) {
        sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
      } else {
        sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file_, false);
      }
      auto logger = std::make_shared<spdlog::logger>("registry", std::move(sink));
      logger->set_pattern(kPattern, spdlog::pattern_time_type::utc);
      logger->set_level(level_);
      logger->flush_on(spdlog::level::info);
      const MutexLock lock(mutex_);
      logger_ = std::move(logger);
    } catch (const spdlog::spdlog_ex&) {
      return Error::Make(Code::kFailed, "log_failed",
                         "log.file: cannot append to " + file_ + ": " + WhyNot(file_));
    }
    return Done{};
  }

  void Write(int level, std::string_view room, std::string_view message) override {
    const auto wanted = LevelOf(level);
    if (wanted < level_) return;
    std::shared_ptr<spdlog::logger> logger;
    {
      const MutexLock lock(mutex_);
      if (level >= Level::kError &&
          !said_.Due(std::string(room) + ": " + std::string(message), SayOnce::Steady::now()))
        return;
      logger = logger_;
      if (level >= Level::kWarning) Remember(level, room, message);
    }
    logger->log(wanted, "\"room\":" + Quoted(room) + ",\"message\":" + Quoted(message));
  }

  std::vector<Line> recent() const override {
    const MutexLock lock(mutex_);
    return {recent_.begin(), recent_.end()};
  }

 private:
  void Remember(int level, std::string_view room, std::string_view message) REQUIRES(mutex_) {
    if (recent_.size() >= kRecentMax) recent_.pop_front();
    recent_.push_back({SystemClock().Now(), level, std::string(room), Redact(message)});
  }

  const std::string file_;
  const spdlog::level::level_enum level_;
  mutable Mutex mutex_;
  std::deque<Line> recent_ GUARDED_BY(mutex_);
  SayOnce said_ GUARDED_BY(mutex_);  // error lines: many threads may meet one cause
  std::shared_ptr<spdlog::logger> logger_ GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<Log>> Log::Open(const std::string& file, int level) {
  auto log = std::make_unique<JsonLog>(file, level);
  if (auto opened = log->Reopen(); !opened) return opened.error();
  return std::unique_ptr<Log>(std::move(log));
}

LogLine Log::For(std::string room) {
  return [this, room = std::move(room)](int level, const std::string& line) { Write(level, room, line); };
}

}  // namespace registry::app
