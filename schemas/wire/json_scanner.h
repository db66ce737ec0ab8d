// schemas/wire/json_scanner.h: where the values of a JSON text begin and end, without reading them. Room-internal.
// Of a JSON text it finds what a parser would. In what is none, strings and brackets decide; numbers and words are not
// judged, nor whether a bracket is closed by its own kind.
// Builds nothing, looks at every octet once. Not safe from several threads at once.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

namespace registry::wire {

class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : rest_(text) {}

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
    // Most strings are long and hold no escapes: both searches go by machine words.
    std::size_t quote = 0;
    for (std::size_t at = 1;;) {
      if (quote < at) quote = rest_.find('"', at);
      if (quote == rest_.npos) return std::nullopt;
      const std::size_t escape = rest_.substr(0, quote).find('\\', at);
      if (escape == rest_.npos) return TakeFirst(quote + 1);
      at = escape + 2;
    }
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
  // The same, and what was skipped.
  std::optional<std::string_view> Value() {
    Blanks();
    const std::string_view from = rest_;
    if (!Skip()) return std::nullopt;
    return from.substr(0, from.size() - rest_.size());
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

}  // namespace registry::wire
