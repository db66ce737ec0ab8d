// simulators/lab/timeline.h: what a run looked like each second: devices, CPU, and the registry's queues from its metrics.
// Owns: a thread that looks. The lab, the progress and what `arrivals` uses outlive it.
// Threads: Stop and the destructor from the owner's; moments() from any, whole after Stop.
// Errors: a registry that does not answer leaves its queues out of that moment.
// Limits: kMomentsMax moments. A longer run is looked at half as often from there, and every second earlier one goes.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "simulators/lab/arrivals.h"
#include "simulators/lab/lab.h"
#include "simulators/lab/progress.h"

namespace registry::lab {

struct Moment {
  double at_s = 0;  // since the clock of the progress was started
  ArrivalCount arrivals;
  std::size_t active = 0, through = 0, given_up = 0;
  std::map<std::string, double> cores;   // by part, of the time since the moment before
  std::map<std::string, double> queues;  // by metric
};

// The part of a process in reports: registry, broker, dns or simulators.
std::string PartOf(const std::string& process);
// The metrics that a moment holds, and what each is called in a report.
const std::vector<std::pair<std::string, std::string>>& QueueMetrics();

class Timeline {
 public:
  static constexpr std::size_t kMomentsMax = 3600;

  Timeline(const Lab& lab, const Progress& progress, std::function<ArrivalCount()> arrivals);
  ~Timeline() { Stop(); }
  void Stop();
  std::vector<Moment> moments() const;

 private:
  void Run();
  Moment Look();
  void Keep(Moment moment);

  const Lab& lab_;
  const Progress& progress_;
  const std::function<ArrivalCount()> arrivals_;
  std::map<std::string, std::uint64_t> cpu_us_;  // by part, at the moment before; the thread's own
  double cpu_at_s_ = 0;
  mutable Mutex mutex_;
  CondVar changed_;
  std::chrono::milliseconds every_ GUARDED_BY(mutex_){1000};
  std::vector<Moment> moments_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, changed_};
};

// Every second one goes, the last one stays.
void Thin(std::vector<Moment>& moments);

}  // namespace registry::lab
