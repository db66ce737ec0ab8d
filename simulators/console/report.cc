#include "simulators/console/report.h"

#include <cstdio>

namespace registry::sim {

void Report::PrintLine(const nlohmann::json& event) {
  const std::string line = event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

void Report::Say(const nlohmann::json& event) {
  const MutexLock lock(mutex_);
  sink_(event);
}

void Report::Step(const std::string& device, const char* step, Clock::time_point begun,
                  const std::string& reason, bool again) {
  const std::chrono::duration<double, std::milli> took = Clock::now() - begun;
  nlohmann::json event = {{"event", "step"},    {"device", device},     {"step", step},
                          {"ms", took.count()}, {"ok", reason.empty()}, {"reason", reason}};
  if (again) event["again"] = true;
  Say(event);
}

}  // namespace registry::sim
