#include "bridge/ingest/keeper.h"

#include <cstdlib>

namespace registry::ingest {

std::optional<Intake::Ticket> Keeper::Keep(const InboundMessage& message) {
  const auto ticket = AppendWhenThereIsRoom(message);
  if (ticket) return *ticket;
  if (may_refuse_) {
    observer_.Log(Level::kWarning, "a message was not kept, and not acknowledged: " + ticket.error().message);
    return std::nullopt;
  }
  if (ticket.error().code == Code::kLimit) {
    observer_.Log(Level::kWarning,
                  "stopped with a full intake: ending before a message is acknowledged that is not kept");
    std::_Exit(EXIT_SUCCESS);
  }
  observer_.Log(Level::kError, "intake failed, ending before a message is acknowledged that is not kept: " +
                                   ticket.error().message);
  std::_Exit(EXIT_FAILURE);
}

// Whether it has stopped is asked before the attempt: what the lanes freed until then is room that the attempt sees.
Result<Intake::Ticket> Keeper::AppendWhenThereIsRoom(const InboundMessage& message) {
  while (true) {
    const bool last = stopped();
    auto ticket = intake_.Append(message);
    if (ticket || ticket.error().code != Code::kLimit || last) return ticket;
    MutexLock lock(mutex_);
    wake_.WaitFor(lock, look_again_, [this]() REQUIRES(mutex_) { return stopped_; });
  }
}

bool Keeper::stopped() {
  const MutexLock lock(mutex_);
  return stopped_;
}

void Keeper::Stopped() {
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
  }
  wake_.NotifyAll();
}

}  // namespace registry::ingest
