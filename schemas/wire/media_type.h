// schemas/wire/media_type.h: whether a media type (RFC 9110 §8.3.1) is JSON as the registry reads it.
// Pure, any thread.
#pragma once

#include <string_view>

namespace registry::wire {

inline constexpr std::size_t kMediaTypeMax = 256;  // octets

// "application/json" in capitals or not, with or without parameters. A parameter `charset` must be utf-8: JSON that is
// exchanged is UTF-8 (RFC 8259 §8.1), and another name would contradict the octets. Other parameters say nothing here.
bool IsUtf8Json(std::string_view media_type);

}  // namespace registry::wire
