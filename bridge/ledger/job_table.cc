#include "bridge/ledger/job_table.h"

namespace registry::ledger {

void JobTable::Put(domain::Job job) {
  Erase(job.id);
  due_.emplace(job.due, job.id);
  of_device_[job.device].insert(job.id);
  jobs_.emplace(job.id, std::move(job));
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

std::optional<domain::Job> JobTable::Load(const JobId& id) const {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return std::nullopt;
  return found->second;
}

std::vector<domain::Job> JobTable::Of(const DeviceId& device) const {
  std::vector<domain::Job> jobs;
  const auto of = of_device_.find(device);
  if (of == of_device_.end()) return jobs;
  for (const JobId& id : of->second) jobs.push_back(jobs_.at(id));
  return jobs;
}

std::vector<domain::Job> JobTable::Due(UtcTime now, std::size_t limit) const {
  std::vector<domain::Job> jobs;
  for (auto next = due_.begin(); next != due_.end() && next->first <= now && jobs.size() < limit; ++next) {
    jobs.push_back(jobs_.at(next->second));
  }
  return jobs;
}

}  // namespace registry::ledger
