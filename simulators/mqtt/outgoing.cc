#include "simulators/mqtt/outgoing.h"

#include "schemas/wire/batch.h"

namespace registry::sim {

void Outgoing::Say(PendingCommands::Message message) {
  if (!batches_) {
    publish_(message.topic, message.payload, false);
    return;
  }
  const MutexLock lock(mutex_);
  waiting_.push_back(std::move(message));
  SendSome();
}

// More may come than were said on this connection: the library says some again on its own.
void Outgoing::Confirmed() {
  const MutexLock lock(mutex_);
  if (unconfirmed_ > 0) --unconfirmed_;
  SendSome();
}

void Outgoing::Forget() {
  const MutexLock lock(mutex_);
  waiting_.clear();
  unconfirmed_ = 0;
}

void Outgoing::SendSome() {
  while (unconfirmed_ < kMost && !waiting_.empty()) {
    bool batch = false;
    const PendingCommands::Message next = TakeNext(&batch);
    if (publish_(next.topic, next.payload, batch)) ++unconfirmed_;
  }
}

PendingCommands::Message Outgoing::TakeNext(bool* batch) {
  PendingCommands::Message first = std::move(waiting_.front());
  waiting_.pop_front();
  if (waiting_.empty()) return first;
  wire::BatchWriter items;
  items.Add(first.payload);
  for (std::size_t count = 1; count < kItemsMax && !waiting_.empty(); ++count) {
    if (items.octets_with(waiting_.front().payload) > wire::kBatchOctetsMax) break;
    items.Add(waiting_.front().payload);
    waiting_.pop_front();
    *batch = true;
  }
  if (!*batch) return first;
  return {batch_topic_, std::move(items).Take()};
}

}  // namespace registry::sim
