// bridge/console/json_answer.h: the few forms every answer of the console has. Pure, any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "bridge/console/reads.h"

namespace registry::console {

using Json = nlohmann::json;

inline Answer Said(const Json& value) {
  return {200, value.dump(-1, ' ', false, Json::error_handler_t::replace)};
}
inline Answer Refused(int status, const std::string& sentence) {
  return {status, Json{{"error", sentence}}.dump(-1, ' ', false, Json::error_handler_t::replace)};
}
inline Answer Failed(const Error& error) { return Refused(503, error.symbol + ": " + error.message); }
// Null where it was never set.
inline Json Time(UtcTime time) { return time == UtcTime{} ? Json() : Json(ToRfc3339(time)); }

}  // namespace registry::console
