// bridge/ingest/batch.h: a message with many commands in it, taken apart (schemas/wire/batch.h). What comes out goes the way
// of messages that came alone. Response Topic and Correlation Data belong to the whole message (MQTT5 §4.10), so each
// reply to an item goes to that topic with that data, and `cause` tells the replies apart.
// Pure, any thread.
#pragma once

#include <vector>

#include "bridge/ingest/admission.h"

namespace registry::ingest {

// By its topic.
bool IsBatch(const InboundMessage& message);

// How many messages it counts as in its sender's share before it is taken apart: as many as it may hold commands, but for
// some that are smaller than any real one. 1 of what is no batch.
std::size_t MessagesOf(const InboundMessage& message);

struct Batch {
  Request head;                       // with a refusal: none of it is looked at
  std::vector<InboundMessage> items;  // in their order, each with what belongs to the whole
};
Batch TakeApart(const InboundMessage& message);

}  // namespace registry::ingest
