#include "schemas/wire/fields.h"

namespace registry::wire {
namespace {

constexpr std::size_t kPointerNameMax = 64;  // octets of a sender's own member name that are said back

}  // namespace

// RFC 6901 §3: "~" and "/" inside a name are written "~0" and "~1". Cut at a character, never inside one.
std::string MemberPointer(std::string_view name) {
  std::size_t length = std::min(name.size(), kPointerNameMax);
  while (length < name.size() && length > 0 && (name[length] & 0xc0) == 0x80) --length;
  std::string escaped = "/";
  for (char c : name.substr(0, length)) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c);
    }
  }
  return escaped;
}

Error NotAnObject() { return BadValue("wrong_type", "must be an object"); }
Error UnknownField(std::string_view name) {
  return Error::Make(Code::kSyntax, "unknown_field", "the schema knows no such member", MemberPointer(name));
}
Error MissingField(std::string_view name) {
  return Error::Make(Code::kMissingParameter, "missing_field", "a required member is missing",
                     MemberPointer(name));
}

Fault Under(std::string_view name, Fault fault) {
  if (fault) fault->field.insert(0, MemberPointer(name));
  return fault;
}

Rule PartRule(std::string_view stem) {
  Rule rule;
  rule.shape = Shape::kObject;
  rule.part = stem;
  return rule;
}

Rule ArrayRule(std::size_t min, std::size_t max, Rule item) {
  Rule rule;
  rule.shape = Shape::kArray;
  rule.min = min;
  rule.max = max;
  rule.item = std::make_shared<const Rule>(std::move(item));
  return rule;
}

Fault ReadItems(const json& value, std::size_t min, std::size_t max, const json::array_t** items) {
  *items = value.get_ptr<const json::array_t*>();
  if (*items == nullptr) return BadValue("wrong_type", "must be an array");
  if ((*items)->size() < min) return Error::Make(Code::kRange, "too_short", "the array has too few items");
  if ((*items)->size() > max) return Error::Make(Code::kRange, "too_long", "the array has too many items");
  return std::nullopt;
}

}  // namespace registry::wire
