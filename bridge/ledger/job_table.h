// bridge/ledger/job_table.h: which jobs wait, by id, by device and by due time; not what is in them.
// Jobs are asked for on every tick of the timer and die young: in a log-structured store the graves of old ones
// would be walked again and again, so backends keep this index in memory. What a job carries (a payload of
// 10 KB) stays in the store and is read by id when it is wanted.
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
  struct Entry {
    DeviceId device;
    UtcTime due;
  };

  void Put(const JobId& id, const Entry& entry);  // replaces one of the same id
  void Erase(const JobId& id);
  bool Has(const JobId& id) const { return jobs_.contains(id); }
  std::vector<JobId> Of(const DeviceId& device) const;           // in order of id
  std::vector<JobId> Due(UtcTime now, std::size_t limit) const;  // earliest first

 private:
  std::map<JobId, Entry> jobs_;
  std::set<std::pair<UtcTime, JobId>> due_;
  std::unordered_map<DeviceId, std::set<JobId>> of_device_;
};

}  // namespace registry::ledger
