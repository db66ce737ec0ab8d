#include "schemas/wire/media_type.h"

#include <algorithm>
#include <optional>
#include <string>

namespace registry::wire {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool SameWord(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

bool IsTokenChar(char c) {  // RFC 9110 §5.6.2
  return (c >= '0' && c <= '9') || (Lower(c) >= 'a' && Lower(c) <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  void Blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view Token() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), IsTokenChar);
    const std::string_view token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(token.size());
    return token;
  }
  std::optional<std::string> Value() {  // token or quoted-string (RFC 9110 §5.6.4)
    if (!Take('"')) {
      const std::string_view token = Token();
      return token.empty() ? std::nullopt : std::optional<std::string>(token);
    }
    std::string value;
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) return std::nullopt;
      if (static_cast<unsigned char>(rest_.front()) < ' ' || rest_.front() == 0x7f) return std::nullopt;
      value.push_back(rest_.front());
      rest_.remove_prefix(1);
    }
    return Take('"') ? std::optional(value) : std::nullopt;
  }

 private:
  std::string_view rest_;
};

// parameters = *( OWS ";" OWS [ parameter ] ), RFC 9110 §5.6.6
bool ParametersFit(Reader& reader) {
  for (reader.Blanks(); !reader.AtEnd(); reader.Blanks()) {
    if (!reader.Take(';')) return false;
    reader.Blanks();
    const std::string_view name = reader.Token();
    if (name.empty()) continue;
    if (!reader.Take('=')) return false;
    const auto value = reader.Value();
    if (!value) return false;
    if (SameWord(name, "charset") && !SameWord(*value, "utf-8")) return false;
  }
  return true;
}

}  // namespace

bool IsUtf8Json(std::string_view media_type) {
  if (media_type.size() > kMediaTypeMax) return false;
  Reader reader(media_type);
  const std::string_view type = reader.Token();
  if (!reader.Take('/')) return false;
  const std::string_view subtype = reader.Token();
  return SameWord(type, "application") && SameWord(subtype, "json") && ParametersFit(reader);
}

}  // namespace registry::wire
