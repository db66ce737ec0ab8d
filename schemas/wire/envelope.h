// schemas/wire/envelope.h: CloudEvents 1.0 structured JSON around every message.
// Reading is strict for what arrives at the registry: UTF-8, at most kMessageMax octets, nesting at most kDepthMax, no
// duplicate or unknown member of the envelope except extension attributes (CloudEvents §"Extension Context
// Attributes": lower-case letters and digits, scalar value), specversion "1.0".
// Readers in simulators and parties use the same code. No exception leaves this header.
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

inline constexpr std::size_t kMessageMax = 256 * 1024;  // octets of one MQTT payload
inline constexpr int kDepthMax = 16;
inline constexpr std::string_view kContentType = "application/cloudevents+json";

struct Envelope {
  EventId id;
  std::string source;                      // the party for a command, "registry" for what the registry says
  std::string type;                        // "registry.v1." + command, reply, action or event name
  std::optional<UtcTime> time;
  std::optional<std::string> traceparent;  // W3C Trace Context, passed on unread
  std::optional<EventId> cause;            // replies: id of the command answered (extension attribute "cause")
  std::optional<std::uint64_t> seq;        // notifications: position in the party's feed (extension attribute "seq")
  nlohmann::json data;
};

Result<Envelope> DecodeEnvelope(std::string_view payload);
std::string EncodeEnvelope(const Envelope& envelope);  // canonical: members sorted, no white space

}  // namespace registry::wire
