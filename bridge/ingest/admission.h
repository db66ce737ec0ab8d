// bridge/ingest/admission.h: what arrived, parsed as far as it goes, and whether it is new, a duplicate or a conflict.
// Pure functions. Design §3: source + id is the identity of a command; the same identity with the same content gets the
// stored reply, with other content a rejection that names the first differing field.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bridge/ingest/commands.h"
#include "bridge/ingest/inbound.h"
#include "schemas/base/result.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/topics.h"
#include "workers/domain/changeset.h"

namespace registry::ingest {

// A message of a party, which can be answered. `asked` is set when everything could be decoded, `refusal` otherwise.
struct Request {
  wire::CommandTopic topic;    // its command is "" when the topic names none
  std::string response_topic;  // where the reply goes; the default topic when empty
  std::string correlation_data;
  std::optional<EventId> cause;  // what the reply names: the id, wherever it could be found
  std::optional<EventId> id;  // its identity, marked as used: only from a whole envelope of the sender's own
  std::optional<UtcTime> time;  // when it was first said, by its sender's clock
  std::optional<std::string> traceparent, tracestate;
  std::vector<std::pair<std::string, Bytes>> digests;
  const CommandRow* row = nullptr;  // of a request with an id; null when its topic names no command there is
  std::optional<Asked> asked;
  std::optional<Error> refusal;
  bool reads() const { return row != nullptr && row->way == Way::kReads; }
};

inline constexpr std::size_t kCorrelationMax = 1024;  // octets: it is stored with the reply

// Whose message it is, from its topic alone, so that it costs nothing whatever stands inside: the level that the broker
// holds to the sender's certificate; "" when there is none or it is no party's id.
std::string SenderOf(std::string_view topic);
// What it takes of its sender's share.
std::size_t OctetsOf(const InboundMessage& message);

// An Error means it cannot even be answered (the topic names no party to answer to): a dead letter.
Result<Request> Parse(const InboundMessage& message);
// The same of what came in a batch, at this place of it: the topic is the batch's, and the type alone names the command.
Result<Request> ParseItem(const InboundMessage& item, std::size_t place);
// The same of a message that is refused whatever stands in it: where to answer, and the cause, if it is found cheaply.
Result<Request> ParseUnread(const InboundMessage& message);

// Which lane, of a request with an id: its row says. Refusals need no order: they spread, so that one sender's nonsense is
// not all in one lane.
std::size_t LaneKey(const Request& request);

// The first part that differs, nullopt when the contents are the same.
std::optional<std::string> FirstDifference(const std::vector<std::pair<std::string, Bytes>>& stored,
                                           const std::vector<std::pair<std::string, Bytes>>& arrived);

}  // namespace registry::ingest
