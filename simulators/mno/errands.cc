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

// Its place among the answered ones stays, until it is the oldest.
void Errands::Forget(const JobId& job) { answers_.erase(job); }

const Errand& Errands::Begin(Errand errand) {
  const JobId job = errand.job;
  const auto turn = std::min(errand.next, errand.end);
  if (const auto earlier = running_.find(job); earlier != running_.end()) Take(earlier);
  wipes_ += errand.kind == ErrandKind::kWipe;
  turns_.emplace(turn, job);
  return running_.emplace(job, Run{std::move(errand), turn}).first->second.errand;
}

Errand Errands::Take(std::map<JobId, Run>::iterator run) {
  Errand errand = std::move(run->second.errand);
  wipes_ -= errand.kind == ErrandKind::kWipe;
  turns_.erase({run->second.turn, run->first});
  running_.erase(run);
  return errand;
}

std::optional<Errand> Errands::Finish(const JobId& job, const nlohmann::json& answer) {
  const auto found = running_.find(job);
  if (found == running_.end()) return std::nullopt;
  Errand errand = Take(found);
  if (Stands(answer) && answers_.emplace(job, answer).second) answered_.push_back(job);
  if (answered_.size() > kAnswersMax) {
    answers_.erase(answered_.front());
    answered_.pop_front();
  }
  return errand;
}

std::vector<JobId> Errands::EndWipes(const DeviceId& device) {
  if (wipes_ == 0) return {};  // nearly always: not one walk per key
  std::vector<JobId> wipes;
  for (const auto& [job, run] : running_) {
    if (run.errand.kind == ErrandKind::kWipe && run.errand.device == device) wipes.push_back(job);
  }
  for (const JobId& job : wipes)
    Finish(job, {{"outcome", "failed"}, {"stage", "radio"}, {"retriable", false}});
  return wipes;
}

Errands::Due Errands::TakeDue(Clock::time_point now) {
  // An ended errand is finished by the caller right away; never spin on it.
  const auto soonest = now + std::chrono::milliseconds(10);
  Due due;
  while (!turns_.empty() && turns_.begin()->first <= now) {
    const JobId job = turns_.begin()->second;
    turns_.erase(turns_.begin());
    Run& run = running_.at(job);
    Errand& errand = run.errand;
    const bool ended = errand.end <= now;
    if (!ended) errand.next = now + repeat_after_;
    (ended ? due.ended : due.again).push_back(errand);
    run.turn = std::max(ended ? soonest : std::min(errand.next, errand.end), soonest);
    turns_.emplace(run.turn, job);
  }
  due.next = NextTurn(now);
  return due;
}

Errands::Clock::time_point Errands::NextTurn(Clock::time_point now) const {
  const auto idle = now + repeat_after_;
  return turns_.empty() ? idle : std::clamp(turns_.begin()->first, now, std::max(idle, now));
}

}  // namespace registry::sim
