#include "bridge/ingest/admission.h"

#include <functional>

#include "schemas/wire/batch.h"
#include "schemas/wire/json_text.h"
#include "workers/crypto/digest.h"

namespace registry::ingest {
namespace {

using crypto::Sha256OfText;

// One digest per part that counts as content, so that a conflict can be named. What nothing reads (`subject`, extension
// attributes) does not: with it changed a repeat still asks for the same, and is answered as it was. `data` is told apart
// by member only when it is known to be what the schema says: before that, its members are as many and as long as the
// sender likes.
std::vector<std::pair<std::string, Bytes>> DigestsOf(const wire::CommandTopic& topic,
                                                     const wire::Envelope& envelope, bool by_member) {
  std::vector<std::pair<std::string, Bytes>> digests;
  digests.emplace_back("command", Sha256OfText(topic.command));
  digests.emplace_back("type", Sha256OfText(envelope.type));
  digests.emplace_back("time", Sha256OfText(envelope.time ? ToRfc3339(*envelope.time) : ""));
  if (!by_member) {
    digests.emplace_back("data", Sha256OfText(wire::JsonText(envelope.data)));
    return digests;
  }
  for (const auto& [name, value] : envelope.data.items()) {
    digests.emplace_back("data/" + name, Sha256OfText(wire::JsonText(value)));
  }
  return digests;
}

std::optional<Error> CheckOrigin(const wire::CommandTopic& topic, const wire::Envelope& envelope) {
  if (envelope.source != topic.party.text()) {
    return Error::Make(Code::kNotAuthorised, "source_mismatch",
                       "source must be the party whose certificate sent the command", "/source");
  }
  if (auto checked = wire::CheckCommandType(envelope, topic.command); !checked) return checked.error();
  return std::nullopt;
}

std::optional<Error> CheckMode(const wire::CommandTopic& topic, wire::ContentMode mode) {
  switch (mode) {
    case wire::ContentMode::kStructured:
      return std::nullopt;
    case wire::ContentMode::kBatch:
      if (topic.command == wire::kBatchCommand) return std::nullopt;
      return Error::Make(Code::kUnimplemented, "event_format",
                         "a batch goes to registry/v1/from/{party}/batch; a command's topic takes one event, "
                         "Content Type application/cloudevents+json");
    case wire::ContentMode::kBinary:
      return Error::Make(
          Code::kUnimplemented, "binary_mode",
          "CloudEvents' binary mode, attributes in MQTT user properties, is not read; send one JSON "
          "object with attributes and data, Content Type application/cloudevents+json");
    case wire::ContentMode::kOtherFormat:
      return Error::Make(
          Code::kUnimplemented, "event_format",
          "of CloudEvents' event formats only application/cloudevents+json is read, and batches of it");
  }
  return std::nullopt;
}

// Topic and properties.
Result<Request> ParseHead(const InboundMessage& message) {
  const auto party = wire::SenderOf(message.topic);
  if (!party) return Error::Make(Code::kSyntax, "topic_malformed", "the topic names no party");
  const auto topic = wire::ParseCommandTopic(message.topic);
  Request request;
  request.topic = topic ? *topic : wire::CommandTopic{*party, ""};
  // The first is said. Whatever it is, nothing of the message is executed or remembered.
  const auto refuse = [&request](const Error& why) {
    if (!request.refusal) request.refusal = why;
  };
  if (!topic) {
    refuse(Error::Make(Code::kSyntax, "topic_malformed", std::string(wire::WhyNoCommand(message.topic))));
  }
  const Status elsewhere =
      message.response_topic.empty() ? Done{} : wire::CheckResponseTopic(*party, message.response_topic);
  if (elsewhere) request.response_topic = message.response_topic;
  if (!elsewhere) refuse(elsewhere.error());
  if (message.correlation_data.size() <= kCorrelationMax) {
    request.correlation_data = message.correlation_data;
  } else {
    refuse(Error::Make(Code::kRange, "correlation_too_large",
                       "at most 1,024 octets of Correlation Data come back with the reply"));
  }
  if (const auto wrong = CheckMode(request.topic, message.mode)) refuse(*wrong);
  return request;
}

// What the sender may know its message by, when the message is refused before it is read.
std::optional<EventId> CauseOf(const InboundMessage& message) {
  if (message.mode == wire::ContentMode::kBinary) return EventId::Parse(message.id_property);
  return wire::FindEventId(message.payload);
}

Result<Asked> Decode(const CommandRow* row, const nlohmann::json& data) {
  if (row != nullptr) return row->decode(data);
  return Error::Make(Code::kUnknownCommand, "unknown_command", "there is no such command");
}

void Read(const Result<wire::Envelope>& envelope, const InboundMessage& message, Request& request) {
  if (!envelope) {
    request.cause = wire::FindEventId(message.payload);
    request.refusal = envelope.error();
    return;
  }
  request.cause = envelope->id;
  request.time = envelope->time;
  request.traceparent = envelope->traceparent;
  request.tracestate = envelope->tracestate;
  if (auto wrong = CheckOrigin(request.topic, *envelope)) {
    request.refusal = std::move(wrong);
    return;
  }
  request.id = envelope->id;
  request.row = FindCommand(request.topic.command);
  auto asked = Decode(request.row, envelope->data);
  // A read is not remembered, so there is nothing to compare a repeat with.
  if (!request.reads()) request.digests = DigestsOf(request.topic, *envelope, asked.ok());
  if (asked) {
    request.asked = std::move(*asked);
  } else {
    request.refusal = asked.error();
  }
}

}  // namespace

std::string SenderOf(std::string_view topic) {
  const auto party = wire::SenderOf(topic);
  return party ? party->text() : "";
}

std::size_t OctetsOf(const InboundMessage& message) {
  return message.topic.size() + message.payload.size() + message.response_topic.size() +
         message.correlation_data.size() + message.id_property.size();
}

Result<Request> Parse(const InboundMessage& message) {
  auto request = ParseHead(message);
  if (!request) return request;
  if (request->refusal) {
    request->cause = CauseOf(message);
  } else {
    Read(wire::DecodeEnvelope(message.payload), message, *request);
  }
  return request;
}

Result<Request> ParseItem(const InboundMessage& item, std::size_t place) {
  auto request = ParseHead(item);
  if (!request) return request;
  const auto envelope = wire::DecodeEnvelope(item.payload);
  auto command = envelope ? wire::CommandOfType(envelope->type) : std::nullopt;
  // A batch is no command: registry.v1.batch.rejected is said of a whole one.
  if (command == wire::kBatchCommand) command.reset();
  request->topic.command = command.value_or("");
  Read(envelope, item, *request);
  if (request->refusal && !request->cause) {
    request->refusal->field = "/" + std::to_string(place) + request->refusal->field;
  }
  return request;
}

Result<Request> ParseUnread(const InboundMessage& message) {
  auto request = ParseHead(message);
  if (!request) return request;
  const bool binary = message.mode == wire::ContentMode::kBinary;
  request->cause = binary ? CauseOf(message) : wire::GlimpseEventId(message.payload);
  return request;
}

std::size_t LaneKey(const Request& request) {
  if (!request.asked) return std::hash<std::string>{}(request.id->text());
  return request.row->lane(*request.asked, request.topic.party);
}

std::optional<std::string> FirstDifference(const std::vector<std::pair<std::string, Bytes>>& stored,
                                           const std::vector<std::pair<std::string, Bytes>>& arrived) {
  for (std::size_t i = 0; i < stored.size() || i < arrived.size(); ++i) {
    if (i >= stored.size()) return arrived[i].first;
    if (i >= arrived.size() || stored[i].first < arrived[i].first) return stored[i].first;
    if (stored[i] != arrived[i]) return arrived[i].first;
  }
  return std::nullopt;
}

}  // namespace registry::ingest
