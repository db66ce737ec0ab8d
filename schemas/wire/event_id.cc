#include "schemas/wire/event_id.h"

#include <nlohmann/json.hpp>
#include <string>

#include "schemas/wire/json_scanner.h"

namespace registry::wire {
namespace {

// What the string says: escapes undone by the JSON parser, as for a message that can be read.
std::optional<std::string> Unquoted(std::string_view quoted) {
  const auto value = nlohmann::json::parse(quoted, nullptr, /*allow_exceptions=*/false);
  return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
}

}  // namespace

std::optional<EventId> ScanEventId(std::string_view text) {
  JsonScanner scanner(text);
  std::optional<EventId> found;
  std::size_t ids = 0;
  if (!scanner.Take('{')) return std::nullopt;
  do {
    const auto name = scanner.String();
    if (!name || !scanner.Take(':')) return std::nullopt;
    if (Unquoted(*name) != "id") {
      if (!scanner.Skip()) return std::nullopt;
      continue;
    }
    ++ids;
    const auto value = scanner.String();
    const auto id = value ? Unquoted(*value) : std::nullopt;
    if (!id) return std::nullopt;
    found = EventId::Parse(*id);
  } while (scanner.Take(','));
  return scanner.Take('}') && scanner.AtEnd() && ids == 1 ? found : std::nullopt;
}

}  // namespace registry::wire
