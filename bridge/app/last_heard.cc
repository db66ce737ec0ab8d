#include "bridge/app/last_heard.h"

#include "schemas/wire/topics.h"

namespace registry::app {

void LastHeard::Set(const std::map<PartyId, wire::Role>& parties) {
  const WriteLock lock(mutex_);
  std::erase_if(known_, [&](const auto& one) { return !parties.contains(one.second->party); });
  for (const auto& [party, role] : parties) {
    auto& known = known_[party.text()];
    if (!known) known = std::make_unique<Known>();
    known->party = party;
    known->role = role;
  }
}

void LastHeard::Note(std::string_view topic, UtcTime now) {
  if (!topic.starts_with(wire::kFrom)) return;
  const std::string_view rest = topic.substr(wire::kFrom.size());
  const ReadLock lock(mutex_);
  const auto known = known_.find(rest.substr(0, rest.find('/')));
  if (known != known_.end()) known->second->at.store(now.micros, std::memory_order_relaxed);
}

std::optional<wire::Role> LastHeard::RoleOf(std::string_view party) const {
  const ReadLock lock(mutex_);
  const auto known = known_.find(party);
  return known == known_.end() ? std::nullopt : std::optional(known->second->role);
}

std::vector<PartyHeard> LastHeard::all() const {
  std::vector<PartyHeard> heard;
  const ReadLock lock(mutex_);
  for (const auto& [name, known] : known_)
    heard.push_back({known->party, known->role, {known->at.load(std::memory_order_relaxed)}});
  return heard;
}

}  // namespace registry::app
