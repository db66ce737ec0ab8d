// bridge/outbox/parcels.h: outbox entries made into messages. What waits together for a party that takes batches travels
// together, in one message on registry/v1/to/{party}/batch (schemas/wire/batch.h); nothing waits for company.
// Rules: an entry stays single when nobody else waits with it, when it carries Correlation Data, which belongs to a whole
//   message (MQTT5 §4.10), and when its topic does not follow from its type, which is how a reader of a batch tells what it
//   has: a Response Topic was asked for.
// Order: each party's entries keep theirs, over batches and single ones.
// Limits: kItemsMax entries and kOctetsMax octets in one batch.
// Threads: const, any.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "bridge/ledger/ledger.h"
#include "bridge/outbox/relay.h"
#include "schemas/wire/envelope.h"

namespace registry::outbox {

struct Parcel {
  Publisher::Message message;
  std::vector<ledger::Seq> entries;
  bool for_batcher = false;  // to a party that takes batches
};

// The entry's content moves into the message.
Publisher::Message Render(ledger::OutboxEntry& entry);

class Parcels {
 public:
  static constexpr std::size_t kItemsMax = 100;
  static constexpr std::size_t kOctetsMax =
      wire::kMessageMax;  // so that nobody needs more room than for one message

  explicit Parcels(const std::set<PartyId>& takes_batches);
  std::vector<Parcel> Pack(std::vector<ledger::OutboxEntry> entries) const;
  std::size_t parties() const { return topics_.size(); }

 private:
  std::map<std::string, std::string, std::less<>> topics_;  // of batches, by the party's own space
};

}  // namespace registry::outbox
