#include "schemas/wire/json_text.h"

#include "schemas/wire/eight_octets.h"

namespace registry::wire {
namespace {

using nlohmann::json;

// A high bit for some octet below `limit` (at most 0x80), none when there is no such octet and none of 0x80 or more.
std::uint64_t Below(std::uint64_t octets, std::uint8_t limit) {
  return (octets - Each(limit)) & ~octets & kHighBits;
}

// RFC 8259 §7: all may stand in a string as they are but the quotation mark, the reverse solidus and what is below U+0020.
// Whatever is not ASCII is left to whoever decodes it.
bool IsPlain(std::uint64_t octets) {
  const std::uint64_t not_plain = (octets & kHighBits) | Below(octets, 0x20) | Below(octets ^ Each('"'), 1) |
                                  Below(octets ^ Each('\\'), 1);
  return not_plain == 0;
}

bool IsPlain(char c) { return IsPlain(Each(static_cast<std::uint8_t>(c))); }

std::size_t PlainAtStart(std::string_view text) {
  std::size_t size = EightsAtStart(text, [](std::uint64_t octets) { return IsPlain(octets); });
  while (size < text.size() && IsPlain(text[size])) ++size;
  return size;
}

// The character that stands for it behind a reverse solidus, as the line ends of PEM have one; 0: there is none.
char ShortEscapeOf(char c) {
  constexpr std::string_view kMeant = "\"\\\b\f\n\r\t", kSaid = "\"\\bfnrt";
  const std::size_t at = kMeant.find(c);
  return at == kMeant.npos ? '\0' : kSaid[at];
}

std::string DumpedText(std::string_view text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

void AppendValue(std::string& out, const json& value);

void AppendObject(std::string& out, const json::object_t& object) {
  char before = '{';
  for (const auto& [name, value] : object) {
    out += before;
    AppendJsonString(out, name);
    out += ':';
    AppendValue(out, value);
    before = ',';
  }
  out += object.empty() ? "{}" : "}";
}

void AppendArray(std::string& out, const json::array_t& array) {
  char before = '[';
  for (const json& value : array) {
    out += before;
    AppendValue(out, value);
    before = ',';
  }
  out += array.empty() ? "[]" : "]";
}

void AppendValue(std::string& out, const json& value) {
  if (const auto* object = value.get_ptr<const json::object_t*>()) return AppendObject(out, *object);
  if (const auto* array = value.get_ptr<const json::array_t*>()) return AppendArray(out, *array);
  if (const auto* text = value.get_ptr<const std::string*>()) return AppendJsonString(out, *text);
  out += value.dump();
}

// About how long the text becomes, from what is long in it.
std::size_t RoomFor(const json& value) {
  constexpr std::size_t kOfOther = 16;
  if (const auto* text = value.get_ptr<const std::string*>()) return text->size() + kOfOther;
  std::size_t room = kOfOther;
  if (const auto* object = value.get_ptr<const json::object_t*>()) {
    for (const auto& [name, member] : *object) room += name.size() + RoomFor(member);
  } else if (const auto* array = value.get_ptr<const json::array_t*>()) {
    for (const json& item : *array) room += RoomFor(item);
  }
  return room;
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  const std::size_t begin = out.size();
  out += '"';
  for (std::string_view rest = text;;) {
    const std::size_t plain = PlainAtStart(rest);
    out += rest.substr(0, plain);
    if (plain == rest.size()) break;
    const char escape = ShortEscapeOf(rest[plain]);
    if (escape == '\0') {
      out.resize(begin);
      out += DumpedText(text);
      return;
    }
    out += '\\';
    out += escape;
    rest.remove_prefix(plain + 1);
  }
  out += '"';
}

std::string JsonText(const json& value) {
  std::string out;
  out.reserve(RoomFor(value));
  AppendValue(out, value);
  return out;
}

}  // namespace registry::wire
