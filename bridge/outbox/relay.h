// bridge/outbox/relay.h: carries committed outbox entries to one sink, in order, and moves its durable
// cursor.
// Owns: one thread per relay. Start() once, Stop() from any thread; Stop waits for what is in flight up to a
//   deadline.
// Delivery: at least once, in order of commit. After a crash or a lost connection everything after the
//   cursor is carried again; receivers tell repeats by the envelope's id (replies, actions) or seq
//   (notifications).
// Errors: a sink that refuses is tried again with backoff; the depth of the outbox is a metric.
// Limits: in_flight_max entries handed to the sink and not yet confirmed.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <thread>

#include "bridge/ledger/ledger.h"

namespace registry::outbox {

// Where entries go. Implemented by bridge/mqtt (publishing), and by others through their own loops.
class Publisher {
 public:
  virtual ~Publisher() = default;
  struct Message {
    std::string topic;
    std::string payload;
    std::string correlation_data;
  };
  // Hands over one message; `confirmed` is called exactly once, from any thread: true at PUBACK, false when
  // the connection went and the message must be offered again.
  // An Error (symbol "not_connected", "in_flight_full") means nothing was taken and `confirmed` will not be
  // called.
  virtual Status Publish(Message message, std::function<void(bool)> confirmed) = 0;
};

struct RelayOptions {
  std::size_t in_flight_max = 1000;
  std::chrono::milliseconds retry_after{200};
  std::chrono::milliseconds stop_deadline{5000};
};

class MqttRelay {
 public:
  MqttRelay(ledger::Ledger& ledger, Publisher& publisher, RelayOptions options);
  ~MqttRelay();
  void Start();
  void Stop();
  // Entries committed and not yet confirmed, for metrics.
  std::uint64_t Depth() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// CloudEvents envelope of a feed item, the same bytes every time (replays send them again).
Publisher::Message RenderFeedItem(const ledger::FeedItem& item);

}  // namespace registry::outbox
