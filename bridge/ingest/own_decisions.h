// bridge/ingest/own_decisions.h: what the registry decides without a command, one decision at a time: jobs that are due or
// for which their MNO has room now, zone changes that everybody sees. Who calls, and on which thread, is own_work.h's
// business.
// Threads: const, any; work on one device is serial. What is given outlives it.
#pragma once

#include <functional>
#include <vector>

#include "bridge/ingest/executor.h"

namespace registry::ingest {

class OwnDecisions {
 public:
  OwnDecisions(const ledger::LedgerReader& reader, const Clock& clock, Observer& observer, Executor& executor)
      : reader_(reader), clock_(clock), observer_(observer), executor_(executor) {}
  // Jobs to be settled now, those due first; none while many messages wait for the broker.
  std::vector<domain::Job> Due() const;
  // Whether a job waits for an MNO that has room for it, as one may have when another job has ended. Any thread.
  bool SomeoneHasRoom() const;
  // As Executor::Settle: `end` hears true when nothing is left to do.
  using End = std::function<void(bool)>;
  void SettleDue(const domain::Job& job, Resume resume, End end) const;
  void SettleVisible(const domain::ZoneChange& change, Resume resume, End end) const;
  // `end` hears how the renewal stands then; as of a device that is not due, when that could not be decided.
  using RenewalEnd = std::function<void(const lifecycle::RenewalStanding&)>;
  void SettleRenewal(const DeviceId& device, Resume resume, RenewalEnd end) const;
  // Devices behind `after` in the order of their certificates' ends, as far as one that ends there could be due for renewal;
  // `due` are those of them that may be. nullopt: it could not be read, or many messages wait for the broker.
  struct Ending {
    std::vector<DeviceId> due;
    std::optional<domain::DevicePosition> last;  // where the next page goes on; none: there is none
  };
  std::optional<Ending> EndingSoon(const std::optional<domain::DevicePosition>& after,
                                   std::size_t limit) const;

 private:
  std::size_t RoomOf(const ledger::LedgerReader::MnoLoad& mno) const;
  void AddUnsent(std::vector<domain::Job>& jobs) const;

  const ledger::LedgerReader& reader_;
  const Clock& clock_;
  Observer& observer_;
  Executor& executor_;
};

}  // namespace registry::ingest
