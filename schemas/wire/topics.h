// schemas/wire/topics.h: the topic grammar (design §3). A party writes only below registry/v1/from/{party}/
// and reads only below registry/v1/to/{party}/; Mosquitto enforces it, Parse* checks it again.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "schemas/base/result.h"
#include "schemas/ids/ids.h"

namespace registry::wire {

inline constexpr std::string_view kFromAll = "registry/v1/from/#";
inline constexpr std::string_view kFrom = kFromAll.substr(0, kFromAll.size() - 1);

struct CommandTopic {
  PartyId party;
  std::string command;  // "csr.submit"; syntax checked ([a-z.]{1,64}), not whether it exists
};

std::optional<CommandTopic> ParseCommandTopic(std::string_view topic);
// Whose topic it is, also of one that names no command: the level below registry/v1/from/, which the broker holds to the
// sender's certificate. nullopt: that level is missing or is no party's id.
std::optional<PartyId> SenderOf(std::string_view topic);
// Why a topic with a sender names no command, in words; empty when it names one.
std::string_view WhyNoCommand(std::string_view topic);
// What may stand there: 1 to 64 of the letters a to z and dots.
bool IsCommandName(std::string_view text);
std::string CommandTopicOf(const PartyId& party, std::string_view command);
std::string AcceptedTopic(const PartyId& party, std::string_view command);
// Without a command, registry/v1/to/{party}/rejected: of a message whose topic names none.
std::string RejectedTopic(const PartyId& party, std::string_view command);
std::string DoTopic(const PartyId& mno, std::string_view action);
std::string EventTopic(const PartyId& party, std::string_view type);
// "registry/v1/to/{party}/": what is said to it begins so.
std::string OwnSpaceOf(const PartyId& party);
// Whose space a topic lies in; nullopt: nobody's.
std::optional<PartyId> ReaderOf(std::string_view topic);
// Whether a reply may go there (design §3: the registry must not become a confused deputy). response_topic_foreign: it
// does not lie in registry/v1/to/{party}/; response_topic_too_long: it has more than 512 octets; response_topic_too_deep:
// more than 17 levels; response_topic_malformed: it holds a wildcard, a control character or an empty level, or none below
// the party's.
Status CheckResponseTopic(const PartyId& party, std::string_view topic);

}  // namespace registry::wire
