// bridge/ledger/job_table.h: every job that waits, by id, by device and by due time.
// Jobs are few (those of devices being worked on), are asked for on every tick of the timer and die young: in
// a log-structured store the graves of old ones would be walked again and again, so backends keep this index
// in memory and only the records on disk.
// Threads: none of its own; the owner locks.
#pragma once

#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "workers/domain/device.h"

namespace registry::ledger {

class JobTable {
 public:
  void Put(domain::Job job);  // replaces one of the same id
  void Erase(const JobId& id);
  std::optional<domain::Job> Load(const JobId& id) const;
  std::vector<domain::Job> Of(const DeviceId& device) const;           // in order of id
  std::vector<domain::Job> Due(UtcTime now, std::size_t limit) const;  // earliest first

 private:
  std::map<JobId, domain::Job> jobs_;
  std::set<std::pair<UtcTime, JobId>> due_;
  std::unordered_map<DeviceId, std::set<JobId>> of_device_;
};

}  // namespace registry::ledger
