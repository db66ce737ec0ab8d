// schemas/wire/strict_json.h: text from outside -> JSON value, or a distinct Error. Room-internal.
// Refuses before building: too large, a byte order mark, not UTF-8, too deep, too many values, a member twice (RFC 8259 §4
// leaves its meaning open), a number that is no finite double. Iterative; memory is bounded by the limits. No exception
// leaves.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "schemas/base/result.h"

namespace registry::wire {

inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // of UTF-8 (RFC 3629 §6)

bool ValidUtf8(std::string_view text);  // RFC 3629 §4: no overlong form, no surrogate, nothing above U+10FFFF
struct JsonLimits {
  std::size_t octets_max;
  int depth_max;
  std::size_t values_max;  // objects, arrays and scalars
};
Result<nlohmann::json> ParseStrict(std::string_view text, const JsonLimits& limits);

}  // namespace registry::wire
