// bridge/outbox/relay.h: carries committed outbox entries to one sink, in order, and moves its durable
// cursor.
// Owns: one thread per relay. Start() once, Stop() from any thread; Stop waits for what is in flight up to a
//   deadline.
// Delivery: at least once, in order of commit. After a crash or a lost connection everything after the
//   cursor is carried again; receivers tell repeats by the envelope's id (replies, actions) or seq
//   (notifications).
// Errors: a sink that refuses is tried again with backoff; the depth of the outbox is a metric. An entry that
//   cannot be delivered (patience.h says when) becomes a dead letter without its payload, is said at level 3,
//   and the entries behind it go on. An entry that cannot be read stops the relay, which says so.
// Batches: an entry is confirmed when its batch is. One that is refused comes apart, and its entries leave one by one.
// Limits: in_flight_max entries handed to the sink and not yet confirmed, or as many as the sink takes at once. Of
//   messages that could travel in a batch twice as many are out as there are parties that take batches, all parties
//   together; what comes meanwhile, for anybody, waits until there are fewer and leaves then.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <set>

#include "bridge/ledger/ledger.h"
#include "bridge/log_line.h"

namespace registry::outbox {

// Where entries go. Implemented by bridge/mqtt (publishing), and by others through their own loops.
class Publisher {
 public:
  virtual ~Publisher() = default;
  struct Message {
    std::string topic;
    std::string payload;
    std::string correlation_data;
    bool batch = false;  // the payload is many envelopes (schemas/wire/batch.h)
  };
  // What became of a message that was handed over.
  enum class Fate : std::uint8_t {
    kTaken,       // it arrived
    kLost,        // the connection went, which says nothing about the message: to be offered again
    kCutOff,      // the receiver ended the connection over too large a packet, of this or another message
    kRefused,     // refused on a connection that lives
    kImpossible,  // larger than the receiver takes, so not even sent
  };
  struct Receipt {
    Fate fate = Fate::kTaken;
    std::string reason;  // for a person, unless taken
  };
  using Confirmed = std::function<void(Receipt)>;
  // Hands over one message; `confirmed` is called exactly once, from any thread, perhaps before this returns.
  // An Error (symbol "not_connected", "in_flight_full") means nothing was taken and `confirmed` will not be
  // called.
  virtual Status Publish(Message message, Confirmed confirmed) = 0;
  // How many it takes before it must have answered one; may change with every connection.
  virtual std::size_t AtOnceMax() const = 0;
};

struct RelayOptions {
  std::size_t in_flight_max = 1000;
  std::chrono::milliseconds retry_after{200};
  std::chrono::milliseconds stop_deadline{5000};
  std::set<PartyId> takes_batches;  // what waits for these goes together (parcels.h)
  // Gives a message, as it leaves, what is not kept with it; empty: nothing.
  std::function<void(domain::OutgoingMessage&)> fill_in;
  std::function<UtcTime()> now;  // for dead letters; empty: they carry no time
  LogLine log;
};

class MqttRelay {
 public:
  MqttRelay(ledger::Ledger& ledger, Publisher& publisher, RelayOptions options);
  ~MqttRelay();
  void Start();
  void Stop();
  // From the next message on; any thread.
  void ChangeBatches(std::set<PartyId> takes_batches);
  // Entries committed and not yet confirmed, for metrics.
  std::uint64_t Depth() const;
  struct Batched {
    std::uint64_t batches = 0, entries = 0;  // handed over, and what was in them
  };
  Batched batched() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// CloudEvents envelope of a feed item, the same bytes every time (replays send them again).
Publisher::Message RenderFeedItem(const ledger::FeedItem& item);

}  // namespace registry::outbox
