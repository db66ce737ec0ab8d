#include "schemas/wire/event_id.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

namespace registry::wire {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool Take(char c) {
    Blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // A string with its quotation marks.
  std::optional<std::string_view> String() {
    Blanks();
    if (rest_.empty() || rest_.front() != '"') return std::nullopt;
    for (std::size_t at = 1; at < rest_.size(); ++at) {
      if (rest_[at] == '\\')
        ++at;
      else if (rest_[at] == '"')
        return TakeFirst(at + 1);
    }
    return std::nullopt;
  }
  // One value with all that is inside it; false when it does not end.
  bool Skip() {
    std::size_t open = 0;
    do {
      Blanks();
      if (rest_.empty()) return false;
      const char c = rest_.front();
      if (c == '"') {
        if (!String()) return false;
        continue;
      }
      if (c == '{' || c == '[') ++open;
      if ((c == '}' || c == ']' || c == ',') && open == 0) return false;
      if (c == '}' || c == ']') --open;
      TakeFirst(IsWord(c) ? WordSize() : 1);
    } while (open > 0);
    return true;
  }
  bool AtEnd() {
    Blanks();
    return rest_.empty();
  }

 private:
  static bool IsWord(char c) { return std::string_view("{}[],:\" \t\r\n").find(c) == std::string_view::npos; }
  std::size_t WordSize() const {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), IsWord);
    return static_cast<std::size_t>(end - rest_.begin());
  }
  std::string_view TakeFirst(std::size_t size) {
    const std::string_view first = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return first;
  }
  void Blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  std::string_view rest_;
};

// What the string says: escapes undone by the JSON parser, as for a message that can be read.
std::optional<std::string> Unquoted(std::string_view quoted) {
  const auto value = nlohmann::json::parse(quoted, nullptr, /*allow_exceptions=*/false);
  return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
}

}  // namespace

std::optional<EventId> ScanEventId(std::string_view text) {
  Scanner scanner(text);
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
