#include "simulators/mno/errands.h"

#include <algorithm>

namespace registry::sim {

const nlohmann::json* Errands::FindAnswer(const JobId& job) const {
  const auto found = answers_.find(job);
  return found == answers_.end() ? nullptr : &found->second;
}

void Errands::Begin(Errand errand) {
  const JobId job = errand.job;
  running_.insert_or_assign(job, std::move(errand));
}

std::optional<Errand> Errands::Finish(const JobId& job, const nlohmann::json& answer) {
  const auto found = running_.find(job);
  if (found == running_.end()) return std::nullopt;
  Errand errand = std::move(found->second);
  running_.erase(found);
  if (answers_.emplace(job, answer).second) answered_.push_back(job);
  if (answered_.size() > kAnswersMax) {
    answers_.erase(answered_.front());
    answered_.pop_front();
  }
  return errand;
}

Errands::Due Errands::TakeDue(Clock::time_point now) {
  Due due;
  due.next = now + repeat_after_;
  for (auto& [job, errand] : running_) {
    if (errand.end <= now) {
      due.ended.push_back(errand);
    } else if (errand.next <= now) {
      errand.next = now + repeat_after_;
      due.again.push_back(errand);
    }
    due.next = std::min({due.next, errand.next, errand.end});
  }
  // An ended errand is finished by the caller right away; never spin on it.
  due.next = std::max(due.next, now + std::chrono::milliseconds(10));
  return due;
}

}  // namespace registry::sim
