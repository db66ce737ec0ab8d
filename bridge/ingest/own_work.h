// bridge/ingest/own_work.h: takes what the registry decides without a command (own_decisions.h) through the lanes like a
// command, so that work on one device stays serial.
// Threads: PostDue from one thread at a time, Visible from another. What is given outlives it.
#pragma once

#include <set>
#include <vector>

#include "bridge/ingest/lanes.h"
#include "bridge/ingest/own_decisions.h"
#include "schemas/base/mutex.h"

namespace registry::ingest {

class OwnWork {
 public:
  OwnWork(const OwnDecisions& decisions, Lanes& lanes) : decisions_(decisions), lanes_(lanes) {}
  void PostDue();
  // True when the consequences of all are committed; false when they are not within the deadline.
  bool Visible(const std::vector<domain::ZoneChange>& changes, std::chrono::milliseconds deadline);

 private:
  void PostDue(const domain::Job& job);
  bool Post(const DeviceId& device, Lanes::StrandWork work);

  const OwnDecisions& decisions_;
  Lanes& lanes_;
  Mutex mutex_;
  std::set<JobId> posted_ GUARDED_BY(mutex_);  // due jobs on their way through a lane
};

}  // namespace registry::ingest
