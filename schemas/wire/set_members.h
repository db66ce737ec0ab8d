// schemas/wire/set_members.h: sets members of a JSON object in its text. A payload of 10 KB is not parsed and written again
// for the number of its attempt.
// Pure, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace registry::wire {

struct MemberText {
  std::string_view name;
  std::string value;  // a JSON text
};

// The object with these members set to these values, the others as they are. `object` is canonical JSON (RFC 8259 as
// nlohmann's dump() writes it: members in the order of their names, no blanks) and so is what comes of it; `members` are in
// that order, too. No name in the text or in `members` needs escapes.
std::string SetMembers(std::string_view object, const std::vector<MemberText>& members);

}  // namespace registry::wire
