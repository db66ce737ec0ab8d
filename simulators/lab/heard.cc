#include "simulators/lab/heard.h"

#include <algorithm>

namespace registry::lab {

using nlohmann::json;

void Heard::Hear(const std::string& program, const json& event) {
  const MutexLock lock(mutex_);
  events_.emplace_back(program, event);
  changed_.NotifyAll();
}

std::optional<json> Heard::Wait(std::size_t& from, const Wanted& wanted, std::chrono::milliseconds patience,
                                const std::function<bool()>& over) {
  constexpr std::chrono::milliseconds kGlance{100};
  const auto until = std::chrono::steady_clock::now() + patience;
  MutexLock lock(mutex_);
  for (;;) {
    for (; from < events_.size(); ++from) {
      if (!wanted(events_[from].first, events_[from].second)) continue;
      return events_[from++].second;
    }
    if (over() || std::chrono::steady_clock::now() >= until) return std::nullopt;
    changed_.WaitFor(lock, kGlance);
  }
}

std::size_t Heard::size() const {
  const MutexLock lock(mutex_);
  return events_.size();
}

Heard::Wanted Notified(const std::string& program, const std::string& type, const std::string& device) {
  return [=](const std::string& who, const json& event) {
    return who == program && event.value("event", "") == "notification" && event.value("type", "") == type &&
           event.value("device", "") == device;
  };
}

Heard::Wanted Succeeded(const std::string& event, const std::string& device) {
  return [=](const std::string&, const json& said) {
    return (said.value("event", "") == event || said.value("step", "") == event) &&
           said.value("device", "") == device && said.value("ok", false);
  };
}

}  // namespace registry::lab
