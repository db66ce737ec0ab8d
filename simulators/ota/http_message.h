// simulators/ota/http_message.h: the little of HTTP/1.1 that a card and its administration server say to each other: a first
// line, headers, and a body whose length is told. Plain values, any thread.
// Errors: kMalformed for whatever is none, or is beyond the limits; nothing behind it is read.
// Limits: 8 KiB of head, 64 KiB of body. Not simulated: chunked bodies, pipelining, redirections.
// Spec: RFC 9112 §2 to §6; GlobalPlatform Amendment B §3 (which headers there are).
#pragma once

#include <map>
#include <string>

#include "schemas/base/bytes.h"

namespace registry::sim::ota {

struct HttpMessage {
  std::string first_line;                      // "POST /ota HTTP/1.1", "200 OK" without its version
  std::map<std::string, std::string> headers;  // names in lower case
  Bytes body;
  std::string Header(const std::string& name) const;  // empty: there is none
};

inline constexpr std::size_t kHttpHeadMax = 8 * 1024, kHttpBodyMax = 64 * 1024;

std::string WriteHttp(const HttpMessage& message);

enum class HttpRead { kMore, kWhole, kMalformed };
// With kWhole the message is taken off the front of `octets`.
HttpRead ReadHttp(std::string& octets, HttpMessage& message);

}  // namespace registry::sim::ota
