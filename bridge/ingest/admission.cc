#include "bridge/ingest/admission.h"

#include <functional>
#include <type_traits>

#include "workers/crypto/digest.h"

namespace registry::ingest {
namespace {

using crypto::Sha256OfText;

// One digest per part a sender could change, so that a conflict can be named. `data` is told apart by member only when
// it is known to be what the schema says: before that, its members are as many and as long as the sender likes.
std::vector<std::pair<std::string, Bytes>> DigestsOf(const wire::CommandTopic& topic,
                                                     const wire::Envelope& envelope, bool by_member) {
  std::vector<std::pair<std::string, Bytes>> digests;
  digests.emplace_back("command", Sha256OfText(topic.command));
  digests.emplace_back("type", Sha256OfText(envelope.type));
  if (envelope.subject) digests.emplace_back("subject", Sha256OfText(*envelope.subject));
  digests.emplace_back("time", Sha256OfText(envelope.time ? ToRfc3339(*envelope.time) : ""));
  if (!by_member) {
    digests.emplace_back("data", Sha256OfText(envelope.data.dump()));
    return digests;
  }
  for (const auto& [name, value] : envelope.data.items()) {
    digests.emplace_back("data/" + name, Sha256OfText(value.dump()));
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

void Read(const InboundMessage& message, Request& request) {
  auto envelope = wire::DecodeEnvelope(message.payload);
  if (!envelope) {
    request.cause = wire::FindEventId(message.payload);
    request.refusal = envelope.error();
    return;
  }
  request.cause = envelope->id;
  request.traceparent = envelope->traceparent;
  if (auto wrong = CheckOrigin(request.topic, *envelope)) {
    request.refusal = std::move(wrong);
    return;
  }
  request.id = envelope->id;
  auto command = wire::DecodeCommand(request.topic.command, envelope->data);
  request.digests = DigestsOf(request.topic, *envelope, command.ok());
  if (command) {
    request.command = std::move(*command);
  } else {
    request.refusal = command.error();
  }
}

}  // namespace

Result<Request> Parse(const InboundMessage& message) {
  const auto topic = wire::ParseCommandTopic(message.topic);
  if (!topic) {
    return Error::Make(Code::kSyntax, "topic_malformed", "the topic names no party and command");
  }
  Request request;
  request.topic = *topic;
  request.correlation_data = message.correlation_data;
  if (message.response_topic.empty() || wire::InOwnSpace(topic->party, message.response_topic)) {
    request.response_topic = message.response_topic;
    Read(message, request);
  } else {
    // Nothing of it is executed or remembered: the registry must not become a confused deputy.
    request.refusal = Error::Make(Code::kPolicy, "response_topic_foreign",
                                  "the Response Topic must lie below registry/v1/to/<own party>/");
    request.cause = wire::FindEventId(message.payload);
  }
  return request;
}

std::size_t LaneKey(const Request& request) {
  const std::size_t by_party = std::hash<std::string>{}(request.topic.party.text());
  if (!request.command) return std::hash<std::string>{}(request.id->text());
  return std::visit(
      [by_party](const auto& command) -> std::size_t {
        using T = std::decay_t<decltype(command)>;
        if constexpr (std::is_same_v<T, wire::EsimRegister>) {
          return std::hash<std::string>{}(command.eid.text());
        } else if constexpr (requires { command.device; }) {
          return std::hash<DeviceId>{}(command.device);
        } else {
          return by_party;
        }
      },
      *request.command);
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
