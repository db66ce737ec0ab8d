#include "schemas/wire/trace_context.h"

#include <algorithm>
#include <cstdint>

#include "schemas/base/ascii.h"

namespace registry::wire {
namespace {

// §3.2.2: version "-" trace-id "-" parent-id "-" trace-flags.
constexpr std::size_t kTraceIdAt = 3, kTraceIdSize = 32;
constexpr std::size_t kParentIdAt = 36, kParentIdSize = 16;
constexpr std::size_t kFlagsAt = 53;
constexpr std::size_t kSize = 55;
constexpr std::size_t kMembersMax = 32;  // §3.3.1.1
constexpr std::size_t kNameMax = 256;    // §3.3.1.3.1 and §3.3.1.3.2: of a key, of a value

bool AllHex(std::string_view text) { return std::all_of(text.begin(), text.end(), IsLowerHex); }
// §3.2.2.3, §3.2.2.4: all zeros is no id.
bool IsId(std::string_view text) {
  return AllHex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

bool HasFields(std::string_view text) {
  return text.size() >= kSize && text[2] == '-' && text[kParentIdAt - 1] == '-' &&
         text[kFlagsAt - 1] == '-' && AllHex(text.substr(0, 2)) &&
         IsId(text.substr(kTraceIdAt, kTraceIdSize)) && IsId(text.substr(kParentIdAt, kParentIdSize)) &&
         AllHex(text.substr(kFlagsAt, 2));
}

// §3.2.2.5.1: of the flags of a later version only "sampled", the lowest bit, is known.
std::string AsVersion00(std::string_view text) {
  const std::string_view odd = "13579bdf";
  const bool sampled = odd.find(text[kFlagsAt + 1]) != std::string_view::npos;
  return "00" + std::string(text.substr(2, kFlagsAt - 2)) + (sampled ? "01" : "00");
}

std::string_view Trimmed(std::string_view text) {  // OWS (RFC 9110 §5.6.3)
  constexpr std::string_view kBlank = " \t";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool IsKey(std::string_view key) {
  if (key.empty() || key.size() > kNameMax || !(IsLower(key.front()) || IsDigit(key.front()))) return false;
  return std::all_of(key.begin(), key.end(), [](char c) {
    return IsLower(c) || IsDigit(c) || c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
  });
}

bool IsValue(std::string_view value) {
  if (value.empty() || value.size() > kNameMax) return false;
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

bool IsMember(std::string_view member) {
  if (member.empty()) return true;  // §3.3.1.2: empty list-members are allowed
  const std::size_t equals = member.find('=');
  return equals != std::string_view::npos && IsKey(member.substr(0, equals)) &&
         IsValue(member.substr(equals + 1));
}

}  // namespace

std::optional<std::string> PropagatedTraceparent(std::string_view text) {
  if (!HasFields(text)) return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  if (version == "ff") return std::nullopt;  // §3.2.2.1: forbidden
  if (version == "00") return text.size() == kSize ? std::optional<std::string>(text) : std::nullopt;
  if (text.size() > kSize && text[kSize] != '-') return std::nullopt;
  return AsVersion00(text);
}

std::optional<std::string> PropagatedTracestate(std::string_view text) {
  if (text.empty() || text.size() > kTracestateMax) return std::nullopt;
  std::size_t members = 0;
  for (std::string_view rest = text; ++members <= kMembersMax;) {
    const std::size_t comma = rest.find(',');
    if (!IsMember(Trimmed(rest.substr(0, comma)))) return std::nullopt;
    if (comma == std::string_view::npos) return std::string(text);
    rest.remove_prefix(comma + 1);
  }
  return std::nullopt;
}

}  // namespace registry::wire
