// bridge/ingest/keeper.h: the step before PUBACK: a message is in the intake, or this process ends without having
// acknowledged it, and the broker delivers it again.
// Waits while the intake is full: MQTT5 §4.9 flow control then holds the senders back. Full for good it is only when
//   everything has stopped and nothing more will be done with what fills it.
// Errors: an intake that refuses ends the process, with exit status 1; one that is full after Stopped, with 0. Where it may
//   refuse, nothing is returned in place of both: the caller waits for another intake.
// Threads: Keep from the thread that hears, Stopped from any. Intake and observer outlive it.
#pragma once

#include <chrono>
#include <optional>

#include "bridge/ingest/intake.h"
#include "bridge/ingest/pipeline.h"
#include "schemas/base/mutex.h"

namespace registry::ingest {

class Keeper {
 public:
  // `look_again`: how often a full intake is tried.
  Keeper(Intake& intake, Observer& observer, std::chrono::milliseconds look_again, bool may_refuse = false)
      : intake_(intake), observer_(observer), look_again_(look_again), may_refuse_(may_refuse) {}
  // Nothing only where it may be refused: then it is not kept, and must not be acknowledged.
  std::optional<Intake::Ticket> Keep(const InboundMessage& message);
  void Stopped();  // no lane works any more

 private:
  Result<Intake::Ticket> AppendWhenThereIsRoom(const InboundMessage& message);
  bool stopped();

  Intake& intake_;
  Observer& observer_;
  const std::chrono::milliseconds look_again_;
  const bool may_refuse_;
  Mutex mutex_;
  CondVar wake_;
  bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace registry::ingest
