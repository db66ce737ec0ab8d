#include "bridge/ledger/job_table.h"

namespace registry::ledger {

void JobTable::Put(const JobId& id, const Entry& entry) {
  Erase(id);
  due_.emplace(entry.due, id);
  of_device_[entry.device].insert(id);
  jobs_.emplace(id, entry);
}

void JobTable::Erase(const JobId& id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  due_.erase({found->second.due, id});
  const auto of = of_device_.find(found->second.device);
  of->second.erase(id);
  if (of->second.empty()) of_device_.erase(of);
  jobs_.erase(found);
}

std::vector<JobId> JobTable::Of(const DeviceId& device) const {
  const auto of = of_device_.find(device);
  if (of == of_device_.end()) return {};
  return {of->second.begin(), of->second.end()};
}

std::vector<JobId> JobTable::Due(UtcTime now, std::size_t limit) const {
  std::vector<JobId> jobs;
  for (auto next = due_.begin(); next != due_.end() && next->first <= now && jobs.size() < limit; ++next) {
    jobs.push_back(next->second);
  }
  return jobs;
}

}  // namespace registry::ledger
