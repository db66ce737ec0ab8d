#include "bridge/app/http_message.h"

#include <algorithm>
#include <vector>

namespace registry::app {
namespace {

const char* Sentence(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Service Unavailable";
  }
}

bool IsWhole(std::string_view octets) {
  return octets.find("\r\n\r\n") != std::string_view::npos || octets.find("\n\n") != std::string_view::npos;
}

std::vector<std::string_view> WordsOf(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

}  // namespace

std::optional<HttpRequest> ReadHttpRequest(std::string_view octets) {
  HttpRequest request;
  if (!IsWhole(octets)) {
    if (octets.size() <= kHeadMax) return std::nullopt;
    request.status = 431;
    return request;
  }
  std::string_view line = octets.substr(0, octets.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto words = WordsOf(line);  // §3: method SP request-target SP HTTP-version
  if (words.size() != 3 || words[0].empty() || !words[1].starts_with('/') ||
      !words[2].starts_with("HTTP/1.")) {
    request.status = 400;
    return request;
  }
  request.head_only = words[0] == "HEAD";
  if (words[0] != "GET" && !request.head_only) request.status = 405;
  request.path = words[1].substr(0, words[1].find('?'));
  return request;
}

std::string HttpAnswer(const Page& page, bool head_only) {
  std::string text = "HTTP/1.1 " + std::to_string(page.status) + " " + Sentence(page.status) +
                     "\r\nContent-Type: " + page.content_type +
                     "\r\nContent-Length: " + std::to_string(page.body.size()) +
                     (page.status == 405 ? "\r\nAllow: GET, HEAD" : "") +
                     "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
  return head_only ? text : text + page.body;
}

}  // namespace registry::app
