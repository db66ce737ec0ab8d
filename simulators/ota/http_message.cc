#include "simulators/ota/http_message.h"

#include <algorithm>
#include <charconv>

namespace registry::sim::ota {
namespace {

constexpr const char* kHeadEnd = "\r\n\r\n";
constexpr std::string_view kVersion = "HTTP/1.1 ";

bool IsName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool ReadHeader(std::string_view line, HttpMessage& message) {
  const auto colon = line.find(':');
  if (colon == line.npos || !IsName(line.substr(0, colon))) return false;
  const std::string name = Lower(line.substr(0, colon));
  return message.headers.emplace(name, Trimmed(line.substr(colon + 1))).second;
}

bool ReadHead(std::string_view head, HttpMessage& message) {
  const auto first = std::min(head.find("\r\n"), head.size());
  message.first_line = head.substr(0, first);
  if (message.first_line.starts_with(kVersion)) message.first_line.erase(0, kVersion.size());
  for (std::size_t at = first + 2; at < head.size();) {
    const auto end = std::min(head.find("\r\n", at), head.size());
    if (!ReadHeader(head.substr(at, end - at), message)) return false;
    at = end + 2;
  }
  return !message.first_line.empty() && message.Header("transfer-encoding").empty();
}

// False: it is no number, or too large.
bool ReadLength(const HttpMessage& message, std::size_t& length) {
  const std::string text = message.Header("content-length");
  length = 0;
  if (text.empty()) return true;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  return error == std::errc() && end == text.data() + text.size() && length <= kHttpBodyMax;
}

}  // namespace

std::string HttpMessage::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::string WriteHttp(const HttpMessage& message) {
  const bool request = message.first_line.ends_with(" HTTP/1.1");
  std::string out = (request ? "" : std::string(kVersion)) + message.first_line + "\r\n";
  for (const auto& [name, value] : message.headers) out += name + ": " + value + "\r\n";
  out += "content-length: " + std::to_string(message.body.size()) + kHeadEnd;
  return out.append(AsText(message.body));
}

HttpRead ReadHttp(std::string& octets, HttpMessage& message) {
  const auto end = octets.find(kHeadEnd);
  if (end == octets.npos) return octets.size() > kHttpHeadMax ? HttpRead::kMalformed : HttpRead::kMore;
  if (end > kHttpHeadMax) return HttpRead::kMalformed;
  HttpMessage read;
  std::size_t length = 0;
  if (!ReadHead(std::string_view(octets).substr(0, end), read) || !ReadLength(read, length))
    return HttpRead::kMalformed;
  const std::size_t body = end + 4;
  if (octets.size() - body < length) return HttpRead::kMore;
  read.body = AsBytes(std::string_view(octets).substr(body, length));
  octets.erase(0, body + length);
  message = std::move(read);
  return HttpRead::kWhole;
}

}  // namespace registry::sim::ota
