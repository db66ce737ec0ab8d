// bridge/ingest/allowance.h: how much one party may make the ledger keep in an hour, so that no party fills the disk. What
// was not used fills up again evenly, up to an hour's worth; it is remembered in memory only, so a restart fills it up.
// Threads: any. Limits: what is under way in the lanes is not counted yet, so a party may go over by as much.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>

#include "schemas/base/mutex.h"
#include "schemas/base/utc_time.h"
#include "workers/domain/changeset.h"

namespace registry::ingest {

class Allowance {
 public:
  explicit Allowance(std::uint64_t octets_per_hour) : per_hour_(static_cast<double>(octets_per_hour)) {}
  // Zero while the party has something left, else when it has a hundredth of it again.
  std::chrono::seconds Wait(const PartyId& party, UtcTime now);
  void Use(const PartyId& party, std::size_t octets, UtcTime now);

 private:
  struct Account {
    double used = 0;
    UtcTime at;
  };
  Account& AccountOf(const PartyId& party, UtcTime now) REQUIRES(mutex_);

  const double per_hour_;
  Mutex mutex_;
  std::map<PartyId, Account> accounts_ GUARDED_BY(mutex_);
};

// What of a command's consequences stays in the ledger, roughly: its mark with the reply, records, history, feed.
std::size_t KeptOctets(const domain::Changeset& changes);

}  // namespace registry::ingest
