// schemas/wire/envelope.h: CloudEvents 1.0 structured JSON around every message.
// Reading is strict for what arrives at the registry: UTF-8, at most kMessageMax octets, nesting at most kDepthMax, at
// most kValuesMax values, no duplicate or unknown member of the envelope except extension attributes (CloudEvents
// §"Extension Context Attributes": lower-case letters and digits, scalar value), specversion "1.0". An attribute that
// is null is absent (CloudEvents JSON format 1.0.1 §2.2), `data` is none. Readers in simulators and parties use the same
// code. No exception leaves this header.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"
#include "schemas/ids/ids.h"

namespace registry::wire {

inline constexpr std::size_t kMessageMax = std::size_t{256} * 1024;  // octets of one MQTT payload
inline constexpr int kDepthMax = 16;
// Objects, arrays and scalars of one message, each counted: a value costs far more memory and time than its octets, and
// the largest message of this interface has some fifty.
inline constexpr std::size_t kValuesMax = 1024;
inline constexpr std::size_t kGlimpseMax = std::size_t{16} * 1024;  // octets GlimpseEventId looks through
inline constexpr std::string_view kContentType = "application/cloudevents+json";

struct Envelope {
  EventId id;
  std::string source;  // the party for a command, "registry" for what the registry says
  std::string type;    // "registry.v1." + command, reply, action or event name
  std::optional<std::string> subject;
  std::optional<UtcTime> time;
  std::optional<std::string> traceparent, tracestate;  // W3C Trace Context; only what has its form is kept
  std::optional<EventId> cause;  // replies: id of the command answered (extension attribute "cause")
  // Notifications: position in the party's feed, up to 2^53-1. Extension attribute "seq", a String of decimal digits,
  // for an Integer of CloudEvents (§"Type System") ends at 2^31-1.
  std::optional<std::uint64_t> seq;
  nlohmann::json data;
};

// Errors: see "Envelope" in schemas/ERRORS.md; their `field` points into the envelope, e.g. "/id".
Result<Envelope> DecodeEnvelope(std::string_view payload);
// The id alone, so that a rejection can name its cause although something else is wrong; nullopt when there
// is none. What is no JSON has none; JSON that is refused for a member named twice, its depth, its values, a number or a
// byte order mark in front has.
std::optional<EventId> FindEventId(std::string_view payload);
// The same of a message nobody is going to read: cheap whatever comes, for nothing is built and looking ends at the id.
// nullopt when there is none within kGlimpseMax octets and kValuesMax values.
std::optional<EventId> GlimpseEventId(std::string_view payload);
std::string EncodeEnvelope(const Envelope& envelope);  // canonical: members sorted, no white space
// The same around data that is canonical JSON text already, so that it need not be read to be written again;
// envelope.data is not looked at.
std::string EncodeEnvelope(const Envelope& envelope, std::string_view data);

// The `type` attribute of what is said. A command's must match its topic (design §3); the others follow from
// theirs.
std::string CommandType(std::string_view command);  // "registry.v1.csr.submit"
// The command that a type names; nullopt when it has not the form of a command's.
std::optional<std::string> CommandOfType(std::string_view type);
std::string AcceptedType(std::string_view command);  // "registry.v1.csr.submit.accepted"
std::string RejectedType(
    std::string_view command);  // "registry.v1.csr.submit.rejected"; of none "registry.v1.rejected"
std::string DoType(std::string_view action);    // "registry.v1.do.key.generate"
std::string EventType(std::string_view event);  // "registry.v1.event.device.activated"
// 2005 type_mismatch at "/type" unless the envelope's type is the command's.
Status CheckCommandType(const Envelope& envelope, std::string_view command);

}  // namespace registry::wire
