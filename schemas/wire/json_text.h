// schemas/wire/json_text.h: the text of a JSON value, as the registry says and stores it: what nlohmann's dump() writes,
// with U+FFFD in the place of what is no UTF-8.
// What goes out is long texts of plain characters above all: certificates and payloads in base64. dump() decodes each
// character of them and asks whether it needs an escape; here eight are asked at once, and what needs none is copied.
// Pure, any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace registry::wire {

std::string JsonText(const nlohmann::json& value);
// The text of a JSON string (RFC 8259 §7), at the end of `out`.
void AppendJsonString(std::string& out, std::string_view text);

}  // namespace registry::wire
