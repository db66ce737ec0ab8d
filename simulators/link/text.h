// simulators/link/text.h: a text member of an object that came from somebody else: over the radio, the desk, the broker or
// the console. Pure, any thread; never throws, whatever the member is.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace registry::sim {

// Empty when the member is missing or no string, or `object` is no object.
inline std::string Text(const nlohmann::json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace registry::sim
