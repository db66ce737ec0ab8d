#include "simulators/console/report.h"

namespace registry::sim {

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
