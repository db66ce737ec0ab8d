#include "simulators/mqtt/pending.h"

#include <algorithm>

namespace registry::sim {

bool PendingCommands::Add(const std::string& id, Message message, PartyClient::OnReply on_reply,
                          Clock::time_point now) {
  const MutexLock lock(mutex_);
  if (commands_.size() >= in_flight_max_) return false;
  const auto turn = now + std::min(repeat_after_, give_up_after_);
  commands_.emplace(id, Command{std::move(message), std::move(on_reply), now + give_up_after_, turn, now});
  turns_.emplace(turn, id);
  return true;
}

std::optional<PartyClient::OnReply> PendingCommands::Take(const std::string& id) {
  const MutexLock lock(mutex_);
  const auto found = commands_.find(id);
  if (found == commands_.end()) return std::nullopt;
  auto on_reply = std::move(found->second.on_reply);
  commands_.erase(found);
  return on_reply;
}

bool PendingCommands::PutOff(const std::string& id, Clock::time_point until) {
  const MutexLock lock(mutex_);
  const auto found = commands_.find(id);
  if (found == commands_.end() || until >= found->second.give_up) return false;
  found->second.turn = found->second.not_before = until;
  turns_.emplace(until, id);
  return true;
}

std::optional<std::string> PendingCommands::Any() {
  const MutexLock lock(mutex_);
  return commands_.empty() ? std::nullopt : std::optional(commands_.begin()->first);
}

PendingCommands::Due PendingCommands::TakeDue(Clock::time_point now, bool everything) {
  Due due;
  const MutexLock lock(mutex_);
  std::vector<Turn> next_turns;
  while (!turns_.empty() && (everything || turns_.top().first <= now)) {
    const auto [turn, id] = turns_.top();
    turns_.pop();
    const auto found = commands_.find(id);
    if (found == commands_.end() || found->second.turn != turn) continue;
    if (found->second.not_before > now) {  // a new connection is no reason
      next_turns.emplace_back(turn, id);
      continue;
    }
    if (found->second.give_up <= now) {
      due.given_up.push_back(std::move(found->second.on_reply));
      commands_.erase(found);
      continue;
    }
    due.again.push_back(found->second.message);
    found->second.turn = std::min(now + repeat_after_, found->second.give_up);
    next_turns.emplace_back(found->second.turn, id);
  }
  for (auto& turn : next_turns) turns_.push(std::move(turn));
  if (!turns_.empty()) due.next = turns_.top().first;
  return due;
}

}  // namespace registry::sim
