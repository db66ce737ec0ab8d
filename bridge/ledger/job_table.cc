#include "bridge/ledger/job_table.h"

#include <algorithm>

namespace registry::ledger {

void JobTable::Put(const JobId& id, Entry entry) {
  if (const auto before = Find(id); before && !entry.mno) entry.mno = before->mno;
  Erase(id);
  if (entry.mno) {
    Desk& desk = desks_[*entry.mno];
    if (entry.unsent) {
      desk.unsent.emplace(entry.due, id);
    } else {
      ++desk.open;
    }
  }
  if (!entry.unsent) due_.emplace(entry.due, id);
  of_device_[entry.device].insert(id);
  jobs_.emplace(id, std::move(entry));
}

void JobTable::Erase(const JobId& id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  const Entry& entry = found->second;
  due_.erase({entry.due, id});
  const auto of = of_device_.find(entry.device);
  of->second.erase(id);
  if (of->second.empty()) of_device_.erase(of);
  if (entry.mno) {
    const auto desk = desks_.find(*entry.mno);
    if (!entry.unsent) --desk->second.open;
    desk->second.unsent.erase({entry.due, id});
    if (desk->second.open == 0 && desk->second.unsent.empty()) desks_.erase(desk);
  }
  jobs_.erase(found);
}

std::optional<JobTable::Entry> JobTable::Find(const JobId& id) const {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return std::nullopt;
  return found->second;
}

std::vector<JobId> JobTable::Of(const DeviceId& device) const {
  const auto of = of_device_.find(device);
  if (of == of_device_.end()) return {};
  return {of->second.begin(), of->second.end()};
}

std::vector<JobId> JobTable::Due(DueTimes times, std::size_t limit) const {
  std::vector<JobId> jobs;
  auto next = due_.begin();
  for (; next != due_.end() && next->first <= times.now && jobs.size() < limit; ++next) {
    jobs.push_back(next->second);
  }
  for (auto last = due_.end(); last != next && jobs.size() < limit;) {
    if ((--last)->first <= times.latest) break;
    jobs.push_back(last->second);
  }
  return jobs;
}

domain::JobLoad JobTable::LoadOf(const PartyId& mno) const {
  const auto desk = desks_.find(mno);
  if (desk == desks_.end()) return {};
  return {desk->second.open, desk->second.unsent.size()};
}

std::vector<std::pair<PartyId, domain::JobLoad>> JobTable::Loads() const {
  std::vector<std::pair<PartyId, domain::JobLoad>> loads;
  for (const auto& [mno, desk] : desks_) {
    loads.emplace_back(mno, domain::JobLoad{desk.open, desk.unsent.size()});
  }
  return loads;
}

std::vector<JobId> JobTable::Unsent(const PartyId& mno, std::size_t limit) const {
  std::vector<JobId> jobs;
  const auto desk = desks_.find(mno);
  if (desk == desks_.end()) return jobs;
  const auto& unsent = desk->second.unsent;
  for (auto next = unsent.begin(); next != unsent.end() && jobs.size() < limit; ++next) {
    jobs.push_back(next->second);
  }
  return jobs;
}

JobChanges JobChangesOf(const domain::Changeset& changeset) {
  JobChanges changes{changeset.jobs_erase, {}, changeset.open_bounds};
  for (const domain::Job& job : changeset.jobs_put) changes.put.emplace_back(job.id, JobTable::EntryOf(job));
  return changes;
}

bool KeepsBounds(const JobChanges& changes, const std::function<std::size_t(const PartyId&)>& open,
                 const FindJob& find) {
  const auto was_open = [&](const JobId& id, const PartyId& mno) {
    const auto before = find(id);
    return before && before->Open() && *before->mno == mno;
  };
  const auto keeps = [&](const domain::OpenBound& bound) {
    std::map<JobId, bool> is_open;  // of the jobs the changeset touches
    for (const JobId& id : changes.erased) is_open[id] = false;
    for (const auto& [id, job] : changes.put) {
      const bool same = !job.mno && !is_open.contains(id) && was_open(id, bound.mno);
      is_open[id] = !job.unsent && (same || job.mno == bound.mno);
    }
    auto total = static_cast<std::int64_t>(open(bound.mno));
    for (const auto& [id, now] : is_open) total += (now ? 1 : 0) - (was_open(id, bound.mno) ? 1 : 0);
    return total <= static_cast<std::int64_t>(bound.max);
  };
  return std::all_of(changes.bounds.begin(), changes.bounds.end(), keeps);
}

}  // namespace registry::ledger
