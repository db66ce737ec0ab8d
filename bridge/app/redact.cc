#include "bridge/app/redact.h"

namespace registry::app {
namespace {

constexpr std::size_t kDigitsMax = 10;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWord(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::string Redact(std::string_view line) {
  std::string safe;
  safe.reserve(line.size());
  for (std::size_t at = 0; at < line.size();) {
    std::size_t end = at;
    bool digits = true;
    while (end < line.size() && IsWord(line[end])) digits = IsDigit(line[end++]) && digits;
    if (end == at) {
      safe += line[at++];
      continue;
    }
    safe += digits && end - at > kDigitsMax ? "[digits]" : line.substr(at, end - at);
    at = end;
  }
  return safe;
}

}  // namespace registry::app
