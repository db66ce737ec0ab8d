// schemas/wire/topics.h: the topic grammar (design §3). A party writes only below registry/v1/from/{party}/
// and reads only below registry/v1/to/{party}/; Mosquitto enforces it, Parse* checks it again.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "schemas/ids/ids.h"

namespace registry::wire {

inline constexpr std::string_view kFromAll = "registry/v1/from/#";

struct CommandTopic {
  PartyId party;
  std::string command;  // "csr.submit"; syntax checked ([a-z.]{1,64}), not whether it exists
};

std::optional<CommandTopic> ParseCommandTopic(std::string_view topic);
std::string CommandTopicOf(const PartyId& party, std::string_view command);
std::string AcceptedTopic(const PartyId& party, std::string_view command);
std::string RejectedTopic(const PartyId& party, std::string_view command);
std::string DoTopic(const PartyId& mno, std::string_view action);
std::string EventTopic(const PartyId& party, std::string_view type);
// True when `topic` lies below registry/v1/to/{party}/, holds no wildcard, NUL or empty level and is at most 512
// octets and 17 levels long: the only place a Response Topic may point to (design §3: the registry must not
// become a confused deputy).
bool InOwnSpace(const PartyId& party, std::string_view topic);

}  // namespace registry::wire
