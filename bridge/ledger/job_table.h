// bridge/ledger/job_table.h: which jobs there are, by id, by device, by due time and by the MNO that has or will have
// them; not what is in them.
// Jobs are asked for on every tick of the timer and die young: in a log-structured store the graves of old ones
// would be walked again and again, so backends keep this index in memory. What a job carries (a payload of
// 10 KB) stays in the store and is read by id when it is wanted.
// Threads: none of its own; the owner locks.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "bridge/ledger/ledger.h"

namespace registry::ledger {

class JobTable {
 public:
  struct Entry {
    DeviceId device;
    UtcTime due;
    std::optional<PartyId> mno;
    bool unsent = false;
    bool Open() const { return mno && !unsent; }
  };
  static Entry EntryOf(const domain::Job& job) { return {job.device(), job.due, job.to, job.unsent}; }

  // Replaces one of the same id, and keeps its MNO when the new one names none.
  void Put(const JobId& id, Entry entry);
  void Erase(const JobId& id);
  std::optional<Entry> Find(const JobId& id) const;
  std::vector<JobId> Of(const DeviceId& device) const;              // in order of id
  std::vector<JobId> Due(DueTimes times, std::size_t limit) const;  // in the order of Ledger::JobsDue
  domain::JobLoad LoadOf(const PartyId& mno) const;
  std::vector<std::pair<PartyId, domain::JobLoad>> Loads() const;
  std::vector<JobId> Unsent(const PartyId& mno,
                            std::size_t limit) const;  // in the order of Ledger::JobsUnsent

 private:
  using ByTime = std::set<std::pair<UtcTime, JobId>>;
  struct Desk {
    std::size_t open = 0;
    ByTime unsent;
  };

  std::map<JobId, Entry> jobs_;
  ByTime due_;  // without the unsent
  std::unordered_map<DeviceId, std::set<JobId>> of_device_;
  std::map<PartyId, Desk> desks_;
};

// What a changeset makes of the jobs; those erased come first.
struct JobChanges {
  std::vector<JobId> erased;
  std::vector<std::pair<JobId, JobTable::Entry>> put;
  std::vector<domain::OpenBound> bounds;
};
JobChanges JobChangesOf(const domain::Changeset& changeset);

using FindJob = std::function<std::optional<JobTable::Entry>(const JobId&)>;
// Whether the changes keep what they were decided under: their bounds. `open` says how many of an MNO's jobs are open
// before them, `find` what a job was before them.
bool KeepsBounds(const JobChanges& changes, const std::function<std::size_t(const PartyId&)>& open,
                 const FindJob& find);

}  // namespace registry::ledger
