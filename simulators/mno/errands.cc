#include "simulators/mno/errands.h"

#include <algorithm>
#include <vector>

namespace registry::sim {
namespace {

// The registry asks again under the same job after such an answer, and means the radio to be tried again.
bool Stands(const nlohmann::json& answer) {
  const auto retriable = answer.find("retriable");
  return retriable == answer.end() || *retriable != true;
}

}  // namespace

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
  if (Stands(answer) && answers_.emplace(job, answer).second) answered_.push_back(job);
  if (answered_.size() > kAnswersMax) {
    answers_.erase(answered_.front());
    answered_.pop_front();
  }
  return errand;
}

void Errands::EndWipes(const DeviceId& device) {
  std::vector<JobId> wipes;
  for (const auto& [job, errand] : running_) {
    if (errand.kind == ErrandKind::kWipe && errand.device == device) wipes.push_back(job);
  }
  for (const JobId& job : wipes)
    Finish(job, {{"outcome", "failed"}, {"stage", "radio"}, {"retriable", false}});
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
