// simulators/mno/report.h: what the program says on standard output: one JSON object per line, flushed. Any thread.
#pragma once

#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

namespace registry::sim {

class Report {
 public:
  explicit Report(std::FILE* out) : out_(out) {}
  void Say(const nlohmann::json& event) {
    const std::string line = event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    const std::lock_guard lock(mutex_);
    std::fwrite(line.data(), 1, line.size(), out_);
    std::fflush(out_);
  }
  void Step(const std::string& device, const char* step, double ms, bool ok, const std::string& reason = {}) {
    Say({{"event", "step"}, {"device", device}, {"step", step}, {"ms", ms}, {"ok", ok}, {"reason", reason}});
  }

 private:
  std::FILE* const out_;
  std::mutex mutex_;
};

}  // namespace registry::sim
