#include "bridge/ingest/surplus.h"

namespace registry::ingest {

void Surplus::Add(const std::string& sender, const std::string& topic, Clock::time_point now) {
  const auto [open, fresh] = groups_.try_emplace(sender, Open{{sender, topic, 0}, now});
  ++open->second.group.messages;
}

std::vector<Surplus::Group> Surplus::Take(Clock::time_point now, bool all) {
  std::vector<Group> taken;
  for (auto open = groups_.begin(); open != groups_.end();) {
    if (!all && now - open->second.since < kEvery) {
      ++open;
      continue;
    }
    taken.push_back(std::move(open->second.group));
    open = groups_.erase(open);
  }
  return taken;
}

}  // namespace registry::ingest
