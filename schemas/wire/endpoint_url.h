// schemas/wire/endpoint_url.h: the parts of an endpoint's URL (RFC 3986 §3), and what a protocol says of them.
// Room-internal. Pure, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace registry::wire {

struct EndpointUrl {
  std::string_view scheme, host;  // views of the text that was parsed
  std::optional<std::uint16_t> port;
};

// scheme "://" host [":" port] [path] ["?" query], with a host name in lower case (IsHostName). Neither a user or password
// (RFC 3986 §3.2.1: a password in clear text) nor a fragment (§3.5: for whoever opens it, not for the service).
inline constexpr char kEndpointUrlPattern[] =
    "^[a-z][a-z0-9+.-]*://[a-z0-9.-]+(:[1-9][0-9]{0,4})?([/?]([A-Za-z0-9._~:/"
    "?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?$";
std::optional<EndpointUrl> ParseEndpointUrl(std::string_view text);
// The first rule that the text breaks, as a refusal says it; empty: it breaks none.
std::string_view WhyNoEndpointUrl(std::string_view text);

// A name a host can have (RFC 1123 §2.1): labels of letters, digits and '-', at least two, the last beginning with a
// letter: one that begins with a digit is read as an IPv4 address in some form ("1.2.3.4", "127.0.0.0x1").
inline constexpr char kHostNamePattern[] = "^([a-z0-9-]+\\.)+[a-z][a-z0-9-]*$";
bool IsHostName(std::string_view text);

// Where a URL names no port; nullopt for "tls", which has none of its own (IANA).
std::optional<std::uint16_t> DefaultPort(std::string_view protocol);
// RFC 6698 §3: _port._transport.host.
std::string TlsaOwner(std::string_view host, std::uint16_t port, std::string_view protocol);

}  // namespace registry::wire
