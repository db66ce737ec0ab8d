// simulators/mno/errands.h: what the MNO is carrying to its devices over the air: one errand per job, repeated
// until the device answers or patience ends, as over SMS. A job asked for again gets the answer it got before, unless
// that answer invited to try again.
// Not thread-safe: its owner holds a lock.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "schemas/ids/ids.h"

namespace registry::sim {

enum class ErrandKind { kKeyGenerate, kPayload, kWipe, kProfile };

struct Errand {
  using Clock = std::chrono::steady_clock;
  ErrandKind kind = ErrandKind::kKeyGenerate;
  JobId job;
  DeviceId device;
  std::string iccid;
  nlohmann::json frame;  // what is said to the device
  Clock::time_point begun, next, end;

  struct Times {
    Clock::time_point now;
    std::chrono::milliseconds after, repeat_after, patience;  // `after`: how long it lies before it goes
  };
  void Time(const Times& times) {
    begun = times.now;
    next = times.now + (times.after.count() > 0 ? times.after : times.repeat_after);
    end = times.now + times.after + times.patience;
  }
};

class Errands {
 public:
  using Clock = Errand::Clock;
  static constexpr std::size_t kAnswersMax = 100'000;

  explicit Errands(std::chrono::milliseconds repeat_after) : repeat_after_(repeat_after) {}

  bool Running(const JobId& job) const { return running_.contains(job); }
  const nlohmann::json* FindAnswer(
      const JobId& job) const;         // of a finished errand; valid until the next Finish
  void Forget(const JobId& job);       // its answer was of no use: asked for again, it is done again
  const Errand& Begin(Errand errand);  // valid until the next change
  // The device answered, or patience ended: remembers the answer unless it is retriable; nullopt when the job is not
  // running.
  std::optional<Errand> Finish(const JobId& job, const nlohmann::json& answer);

  // The device begins a new life: a wipe still under way would end it. Those jobs are remembered as failed.
  // Answers which.
  std::vector<JobId> EndWipes(const DeviceId& device);

  struct Due {
    std::vector<Errand> again, ended;  // `ended` ones still run until Finish
    Clock::time_point next;
  };
  Due TakeDue(Clock::time_point now);
  Clock::time_point NextTurn(Clock::time_point now) const;  // of TakeDue, at the latest

 private:
  struct Run {
    Errand errand;
    Clock::time_point turn;  // its place in turns_
  };
  Errand Take(std::map<JobId, Run>::iterator run);

  const std::chrono::milliseconds repeat_after_;
  std::map<JobId, Run> running_;
  std::set<std::pair<Clock::time_point, JobId>> turns_;  // of running_: when each has to be looked at
  std::size_t wipes_ = 0;                                // of running_
  std::map<JobId, nlohmann::json> answers_;
  std::deque<JobId> answered_;  // oldest first
};

}  // namespace registry::sim
