// bridge/app/http_message.h: the little of HTTP/1.1 (RFC 9112) that the operator's pages need: one request's head in, one
// answer out, after which the connection ends. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bridge/app/http.h"

namespace registry::app {

inline constexpr std::size_t kHeadMax = 8192;

// Nothing until the head is whole (§2.1, §2.2: a line may end with LF alone) or has more than kHeadMax octets.
std::optional<HttpRequest> ReadHttpRequest(std::string_view octets);
// The value of a name of the query (URL §5.1, application/x-www-form-urlencoded), decoded; empty where it is not there.
std::string QueryValue(std::string_view query, std::string_view name);
// The head of a stream, whose body goes on.
std::string HttpStreamHead(const std::string& headers);
std::string HttpAnswer(const Page& page, bool head_only);

}  // namespace registry::app
