#include "schemas/wire/endpoint_url.h"

#include <algorithm>
#include <charconv>

#include "schemas/base/ascii.h"
#include "schemas/ids/ids.h"

namespace registry::wire {
namespace {

bool IsScheme(std::string_view text) {
  return !text.empty() && IsLower(text.front()) && std::all_of(text.begin(), text.end(), [](char c) {
    return IsLower(c) || IsDigit(c) || c == '+' || c == '.' || c == '-';
  });
}

bool IsUriChar(char c) {  // RFC 3986 §3.3, §3.4: pchar, "/" and "?"
  return IsLower(c) || IsDigit(c) || IsUpper(c) ||
         std::string_view("._~:/?@!$&'()*+,;=-").find(c) != std::string_view::npos;
}

bool IsPathAndQuery(std::string_view text) {
  while (!text.empty()) {
    const bool escape = text.front() == '%';
    if (escape ? text.size() < 3 || !IsHex(text[1]) || !IsHex(text[2]) : !IsUriChar(text.front()))
      return false;
    text.remove_prefix(escape ? 3 : 1);
  }
  return true;
}

std::optional<std::uint16_t> ReadPort(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool whole = failed == std::errc() && end == digits.data() + digits.size();
  return whole && digits.front() != '0' ? std::optional(port) : std::nullopt;
}

// `why`: the first rule that the text breaks; then `url` holds what stands before it.
struct UrlRead {
  EndpointUrl url;
  std::string_view why;
};

UrlRead ReadUrl(std::string_view text) {
  EndpointUrl url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return {url, "must begin with a scheme and ://"};
  url.scheme = text.substr(0, colon);
  if (!IsScheme(url.scheme)) return {url, "must have a scheme in lower case"};
  text.remove_prefix(colon + 3);
  if (text.find('#') != std::string_view::npos) return {url, "must have no fragment (#)"};
  const std::size_t path = std::min(text.find_first_of("/?"), text.size());
  const std::string_view authority = text.substr(0, path);
  if (authority.find('@') != std::string_view::npos) return {url, "must have no user and no password (@)"};
  const std::size_t port = authority.find(':');
  url.host = authority.substr(0, port);
  if (!IsHostName(url.host))
    return {url, "must have a lower-case host name of two labels or more, and no address"};
  if (port != std::string_view::npos) {
    url.port = ReadPort(authority.substr(port + 1));
    if (!url.port) return {url, "must have a port from 1 to 65535 behind the colon, without a zero in front"};
  }
  if (!IsPathAndQuery(text.substr(path)))
    return {url, "must have a path and query of RFC 3986's characters, others escaped with %"};
  return {url, {}};
}

}  // namespace

std::optional<EndpointUrl> ParseEndpointUrl(std::string_view text) {
  const UrlRead read = ReadUrl(text);
  return read.why.empty() ? std::optional(read.url) : std::nullopt;
}

std::string_view WhyNoEndpointUrl(std::string_view text) { return ReadUrl(text).why; }

bool IsHostName(std::string_view text) {
  const std::size_t dot = text.rfind('.');
  return ValidDomainName(text) && text.find('_') == std::string_view::npos && dot != std::string_view::npos &&
         IsLower(text[dot + 1]);
}

std::optional<std::uint16_t> DefaultPort(std::string_view protocol) {
  if (protocol == "mqtts") return 8883;
  if (protocol == "https") return 443;
  if (protocol == "coaps") return 5684;  // RFC 7252 §6.2
  return std::nullopt;
}

std::string TlsaOwner(std::string_view host, std::uint16_t port, std::string_view protocol) {
  const std::string transport = protocol == "coaps" ? "udp" : "tcp";  // RFC 7252 §9: over DTLS
  return "_" + std::to_string(port) + "._" + transport + "." + std::string(host);
}

}  // namespace registry::wire
