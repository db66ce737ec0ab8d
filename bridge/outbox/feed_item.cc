#include <nlohmann/json.hpp>

#include "bridge/outbox/relay.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/topics.h"

namespace registry::outbox {

// Every field comes from the stored item, none from a clock: a replay must be the same bytes (design §3).
Publisher::Message RenderFeedItem(const ledger::FeedItem& item) {
  const domain::Notification& said = item.notification;
  wire::Envelope envelope;
  envelope.id = said.id;
  envelope.source = "registry";
  envelope.type = wire::EventType(said.type);
  envelope.time = said.time;
  envelope.traceparent = said.traceparent;
  envelope.cause = said.cause;
  envelope.seq = item.seq;
  envelope.data = nlohmann::json::parse(said.data, nullptr, false);
  // The ledger's own records are checked by their checksum, so this is a defect in whoever wrote it.
  REG_CHECK(!envelope.data.is_discarded());
  return {wire::EventTopic(said.to, said.type), wire::EncodeEnvelope(envelope), ""};
}

}  // namespace registry::outbox
