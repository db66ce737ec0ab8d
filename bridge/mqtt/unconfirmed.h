// bridge/mqtt/unconfirmed.h: publishes without PUBACK yet, each answered exactly once.
// Threads: every call from any thread; callbacks run on the caller's thread, without a lock held.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "bridge/outbox/relay.h"
#include "schemas/base/mutex.h"

namespace registry::mqtt {

class Unconfirmed {
 public:
  using Confirmed = outbox::Publisher::Confirmed;
  using Receipt = outbox::Publisher::Receipt;
  using Key = std::uintptr_t;  // travels through the client library as its user context

  explicit Unconfirmed(std::size_t limit) : limit_(limit) {}

  void Narrow(std::size_t limit);  // what the broker allows, once known
  // Errors: in_flight_full; not_connected after TellAll.
  Result<Key> Add(Confirmed confirmed);
  // Gives the callback back, for a publish that was refused on the spot; false when it has been answered already.
  bool Withdraw(Key key);
  void Tell(Key key, Receipt answer);   // unknown keys were answered before
  void TellAll(const Receipt& answer);  // in order of publishing; nothing is taken afterwards

 private:
  std::optional<Confirmed> Take(Key key);

  Mutex mutex_;
  std::size_t limit_ GUARDED_BY(mutex_);
  std::map<Key, Confirmed> waiting_ GUARDED_BY(mutex_);
  Key next_ GUARDED_BY(mutex_) = 1;
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace registry::mqtt
