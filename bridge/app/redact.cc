#include "bridge/app/redact.h"

#include <algorithm>

namespace registry::app {
namespace {

constexpr std::size_t kDigitsMax = 10;
// Inside a word of letters too, an ICCID (19) or EID (32) shows; a certificate's serial or digest hardly ever has such
// a run.
constexpr std::size_t kEmbeddedDigits = 18;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }
bool IsWord(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The last group of a UUID (RFC 9562 §4) may be twelve decimal digits; device ids are what logs are searched
// for.
bool EndsUuid(std::string_view line, std::size_t at, std::size_t end) {
  constexpr std::string_view kBefore = "xxxxxxxx-xxxx-xxxx-xxxx-";
  if (end - at != 12 || at < kBefore.size()) return false;
  const std::string_view before = line.substr(at - kBefore.size(), kBefore.size());
  for (std::size_t i = 0; i < kBefore.size(); ++i) {
    if (kBefore[i] == '-' ? before[i] != '-' : !IsHex(before[i])) return false;
  }
  return true;
}

}  // namespace

std::string Redact(std::string_view line) {
  std::string safe;
  safe.reserve(line.size());
  for (std::size_t at = 0; at < line.size();) {
    std::size_t end = at;
    // The longest run of digits inside the word: "eid8904..." and a padded "8988...F" are secrets as well.
    std::size_t run = 0, longest = 0;
    while (end < line.size() && IsWord(line[end])) {
      run = IsDigit(line[end++]) ? run + 1 : 0;
      longest = std::max(longest, run);
    }
    if (end == at) {
      safe += line[at++];
      continue;
    }
    const bool all_digits = longest == end - at;
    const bool secret =
        ((all_digits && longest > kDigitsMax) || longest >= kEmbeddedDigits) && !EndsUuid(line, at, end);
    safe += secret ? "[digits]" : line.substr(at, end - at);
    at = end;
  }
  return safe;
}

}  // namespace registry::app
