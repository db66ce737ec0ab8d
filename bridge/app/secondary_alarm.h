// bridge/app/secondary_alarm.h: tells every party that is an operator that a secondary of the zone is left behind, and
// that it has caught up (secondary.lagged, secondary.recovered), through their feeds like any other notification.
// Threads: Set from one at a time, Tell from any. The ledger and the clock outlive it.
// Errors: Tell is false where the ledger does not take it now; whoever tells it tells it again.
// Limits: a restart forgets who was left behind: one that has caught up while nothing ran is not told of.
#pragma once

#include <map>
#include <set>

#include "bridge/clock.h"
#include "bridge/ledger/ledger.h"
#include "bridge/zone/secondary_news.h"
#include "schemas/base/mutex.h"
#include "schemas/wire/topics.h"

namespace registry::app {

class SecondaryAlarm {
 public:
  SecondaryAlarm(ledger::Ledger& ledger, const Clock& clock) : ledger_(ledger), clock_(clock) {}

  // Who is told from here on: those of them that are operators.
  void Set(const std::map<PartyId, wire::Role>& parties);
  bool Tell(const zone::SecondaryNews& news);

 private:
  ledger::Ledger& ledger_;
  const Clock& clock_;
  Mutex mutex_;
  std::set<PartyId> operators_ GUARDED_BY(mutex_);
};

}  // namespace registry::app
