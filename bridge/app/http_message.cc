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
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 421:
      return "Misdirected Request";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Service Unavailable";
  }
}

bool IsWhole(std::string_view octets) {
  return octets.find("\r\n\r\n") != std::string_view::npos || octets.find("\n\n") != std::string_view::npos;
}

// Up to the empty line; what comes behind is nobody's.
std::string_view HeadOf(std::string_view octets) {
  return octets.substr(0, std::min(octets.find("\r\n\r\n"), octets.find("\n\n")));
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

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// §5: field lines, of which one is wanted here. `name` in lower case, with its colon.
std::string FieldOf(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find('\n'); at != std::string_view::npos; at = head.find('\n', at)) {
    ++at;
    const std::string_view line = head.substr(at, std::min(head.find_first_of("\r\n", at), head.size()) - at);
    if (line.size() < name.size()) continue;
    if (!std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) { return a == Lower(b); }))
      continue;
    std::string_view value = line.substr(name.size());
    while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
    while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
    return std::string(value);
  }
  return "";
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = Lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low >= 0) i += 2;
    out += low >= 0 ? static_cast<char>(high * 16 + low) : text[i] == '+' ? ' ' : text[i];
  }
  return out;
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
  const std::size_t mark = words[1].find('?');
  request.path = words[1].substr(0, mark);
  if (mark != std::string_view::npos) request.query = words[1].substr(mark + 1);
  request.host = FieldOf(HeadOf(octets), "host:");
  return request;
}

std::string QueryValue(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('='))
      return PercentDecoded(pair.substr(name.size() + 1));
  }
  return "";
}

std::string HttpStreamHead(const std::string& headers) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + headers +
         "Cache-Control: no-store\r\nConnection: close\r\n\r\n";
}

std::string HttpAnswer(const Page& page, bool head_only) {
  std::string text = "HTTP/1.1 " + std::to_string(page.status) + " " + Sentence(page.status) +
                     "\r\nContent-Type: " + page.content_type +
                     "\r\nContent-Length: " + std::to_string(page.body.size()) + "\r\n" + page.headers +
                     (page.status == 405 ? "Allow: GET, HEAD\r\n" : "") +
                     "Cache-Control: no-store\r\nConnection: close\r\n\r\n";
  return head_only ? text : text + page.body;
}

}  // namespace registry::app
