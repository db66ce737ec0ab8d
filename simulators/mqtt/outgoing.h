// simulators/mqtt/outgoing.h: what a party says, on its way to the broker. While kMost publishes are without PUBACK the rest
// waits, and what has piled up leaves together as a batch (schemas/wire/batch.h); with fewer out a message leaves at once.
// Order: as said. A party that does not send batches never waits here.
// Threads: every call from any thread. `publish` is called by one at a time, and must not call back.
// Errors: none. What `publish` does not take is forgotten; commands are said again by pending.h.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "schemas/base/mutex.h"
#include "simulators/mqtt/pending.h"

namespace registry::sim {

class Outgoing {
 public:
  static constexpr std::size_t kMost = 2;
  static constexpr std::size_t kItemsMax = 100;
  // False when it was not taken, so no PUBACK follows.
  using Publish = std::function<bool(const std::string& topic, const std::string& payload, bool batch)>;

  Outgoing(bool batches, std::string batch_topic, Publish publish)
      : batches_(batches), batch_topic_(std::move(batch_topic)), publish_(std::move(publish)) {}

  void Say(PendingCommands::Message message);
  void Confirmed();  // a PUBACK came
  // A new connection: what was out may never be confirmed, and all of it is said again.
  void Forget();

 private:
  void SendSome() REQUIRES(mutex_);
  PendingCommands::Message TakeNext(bool* batch) REQUIRES(mutex_);

  const bool batches_;
  const std::string batch_topic_;
  const Publish publish_;
  Mutex mutex_;
  std::deque<PendingCommands::Message> waiting_ GUARDED_BY(mutex_);
  std::size_t unconfirmed_ GUARDED_BY(mutex_) = 0;
};

}  // namespace registry::sim
