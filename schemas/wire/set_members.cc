#include "schemas/wire/set_members.h"

#include "schemas/base/check.h"
#include "schemas/wire/json_scanner.h"

namespace registry::wire {
namespace {

void AppendMember(std::string& object, std::string_view name, std::string_view value) {
  object.append(object.size() == 1 ? "\"" : ",\"").append(name).append("\":").append(value);
}

std::string_view WithoutQuotes(std::string_view text) { return text.substr(1, text.size() - 2); }

}  // namespace

std::string SetMembers(std::string_view object, const std::vector<MemberText>& members) {
  std::size_t room = object.size();
  for (const MemberText& member : members) room += member.name.size() + member.value.size() + 4;
  std::string out;
  out.reserve(room);
  out = "{";
  JsonScanner scanner(object);
  REG_CHECK(scanner.Take('{'));
  auto next = members.begin();
  while (!scanner.Take('}')) {
    const auto name = scanner.String();
    REG_CHECK(name && scanner.Take(':'));
    const auto value = scanner.Value();
    REG_CHECK(value.has_value());
    const std::string_view bare = WithoutQuotes(*name);
    for (; next != members.end() && next->name < bare; ++next) AppendMember(out, next->name, next->value);
    const bool set = next != members.end() && next->name == bare;
    AppendMember(out, bare, set ? std::string_view(next->value) : *value);
    if (set) ++next;
    scanner.Take(',');
  }
  for (; next != members.end(); ++next) AppendMember(out, next->name, next->value);
  return out += '}';
}

}  // namespace registry::wire
