#include "bridge/app/redact.h"

#include <algorithm>

#include "schemas/base/ascii.h"
#include "workers/lifecycle/code_text.h"

namespace registry::app {
namespace {

constexpr std::size_t kDigitsMax = 10;
// A word of nothing but hexadecimal digits may be a certificate's serial, a digest or part of a UUID, which hardly ever
// have such a run; an ICCID (19) or EID (32) padded with an F has.
constexpr std::size_t kHexDigitsMax = 17;

bool IsWord(char c) { return IsDigit(c) || IsLower(c) || IsUpper(c); }

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

std::string Redact(std::string_view said) {
  const std::string without_codes = lifecycle::WithoutCodes(said);
  const std::string_view line = without_codes;
  std::string safe;
  safe.reserve(line.size());
  for (std::size_t at = 0; at < line.size();) {
    std::size_t end = at;
    // The longest run of digits inside the word: "eid8904..." and a padded "8988...F" are secrets as well.
    std::size_t run = 0, longest = 0;
    bool all_hex = true;
    while (end < line.size() && IsWord(line[end])) {
      all_hex = all_hex && IsHex(line[end]);
      run = IsDigit(line[end++]) ? run + 1 : 0;
      longest = std::max(longest, run);
    }
    if (end == at) {
      safe += line[at++];
      continue;
    }
    const bool all_digits = longest == end - at;
    const std::size_t bearable = all_hex && !all_digits ? kHexDigitsMax : kDigitsMax;
    const bool secret = longest > bearable && !EndsUuid(line, at, end);
    safe += secret ? "[digits]" : line.substr(at, end - at);
    at = end;
  }
  return safe;
}

}  // namespace registry::app
