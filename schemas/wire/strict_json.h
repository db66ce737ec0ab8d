// schemas/wire/strict_json.h: text from outside -> JSON value, or a distinct Error. Room-internal.
// Refuses before building: too large, not UTF-8, too deep, a member twice (RFC 8259 §4 leaves its meaning
// open), a number that is no finite double. Iterative; memory is bounded by kMessageMax. No exception leaves.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "schemas/base/result.h"

namespace registry::wire {

bool ValidUtf8(std::string_view text);  // RFC 3629 §4: no overlong form, no surrogate, nothing above U+10FFFF
Result<nlohmann::json> ParseStrict(std::string_view text, std::size_t octets_max, int depth_max);

}  // namespace registry::wire
