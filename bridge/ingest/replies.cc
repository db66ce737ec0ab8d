#include "bridge/ingest/replies.h"

#include "workers/domain/compose.h"

namespace registry::ingest {
namespace {

domain::OutgoingMessage Reply(const Request& request, std::string type, const std::string& default_topic,
                              nlohmann::json data, const domain::Context& context) {
  wire::Envelope envelope;
  envelope.id = domain::NewEventId(context);
  envelope.source = domain::RegistryParty().text();
  envelope.type = std::move(type);
  envelope.time = context.now;
  envelope.traceparent = request.traceparent;
  // To its sender alone: it is text of the sender's choosing, and what goes on goes to other companies (W3C Trace Context,
  // "Privacy of the tracestate field": values may be removed).
  envelope.tracestate = request.tracestate;
  envelope.cause = request.cause;
  envelope.data = std::move(data);
  const std::string& topic = request.response_topic.empty() ? default_topic : request.response_topic;
  return {topic, wire::EncodeEnvelope(envelope), request.correlation_data};
}

// The stored topic may be a Response Topic of the first request, where nobody listens any more; the type inside says
// which of the two it is.
std::string DefaultTopicOf(const Request& request, const domain::OutgoingMessage& stored) {
  const auto envelope = wire::DecodeEnvelope(stored.payload);
  const bool accepted = envelope && envelope->type == wire::AcceptedType(request.topic.command);
  return accepted ? wire::AcceptedTopic(request.topic.party, request.topic.command)
                  : wire::RejectedTopic(request.topic.party, request.topic.command);
}

}  // namespace

domain::OutgoingMessage Accepted(const Request& request, nlohmann::json data,
                                 const domain::Context& context) {
  return Reply(request, wire::AcceptedType(request.topic.command),
               wire::AcceptedTopic(request.topic.party, request.topic.command), std::move(data), context);
}

domain::OutgoingMessage Rejected(const Request& request, const Error& error, const domain::Context& context) {
  return Reply(request, wire::RejectedType(request.topic.command),
               wire::RejectedTopic(request.topic.party, request.topic.command), wire::EncodeError(error),
               context);
}

domain::OutgoingMessage Again(const Request& request, const domain::OutgoingMessage& stored) {
  return {request.response_topic.empty() ? DefaultTopicOf(request, stored) : request.response_topic,
          stored.payload, request.correlation_data};
}

}  // namespace registry::ingest
