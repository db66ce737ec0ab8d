#include "schemas/wire/topics.h"

#include <algorithm>

namespace registry::wire {
namespace {

constexpr std::string_view kTo = "registry/v1/to/";
constexpr std::size_t kCommandMax = 64;
constexpr std::size_t kResponseTopicMax = 512;
constexpr std::ptrdiff_t kResponseLevelsMax = 16;

std::string To(const PartyId& party, std::initializer_list<std::string_view> levels) {
  std::string topic(kTo);
  topic.append(party.text());
  for (std::string_view level : levels) topic.append("/").append(level);
  return topic;
}

// MQTT5 §4.7.1, §4.7.3: a topic name holds no wildcard and no U+0000; other control characters have no place
// in ours.
bool PlainTopicChar(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '+' && c != '#';
}

bool NoEmptyLevel(std::string_view levels) {
  return !levels.empty() && levels.front() != '/' && levels.back() != '/' &&
         levels.find("//") == std::string_view::npos;
}

// What stands behind registry/v1/from/{party}/; empty when nothing does.
std::string_view BehindParty(std::string_view topic) {
  topic.remove_prefix(kFrom.size());
  const std::size_t slash = topic.find('/');
  return slash == std::string_view::npos ? std::string_view() : topic.substr(slash + 1);
}

}  // namespace

bool IsCommandName(std::string_view text) {
  if (text.empty() || text.size() > kCommandMax) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '.'; });
}

std::optional<CommandTopic> ParseCommandTopic(std::string_view topic) {
  const std::optional<PartyId> party = SenderOf(topic);
  if (!party || !IsCommandName(BehindParty(topic))) return std::nullopt;
  return CommandTopic{*party, std::string(BehindParty(topic))};
}

std::optional<PartyId> SenderOf(std::string_view topic) {
  if (!topic.starts_with(kFrom)) return std::nullopt;
  topic.remove_prefix(kFrom.size());
  return PartyId::Parse(topic.substr(0, topic.find('/')));
}

std::string_view WhyNoCommand(std::string_view topic) {
  const std::string_view behind = BehindParty(topic);
  if (behind.empty()) return "the topic ends at the party's name: the command is missing";
  if (behind.find('/') != std::string_view::npos)
    return "the topic has more than one level behind the party's name";
  if (behind.size() > kCommandMax) return "the topic's command has more than 64 octets";
  return IsCommandName(behind) ? "" : "the topic's command has other characters than a to z and '.'";
}

std::string CommandTopicOf(const PartyId& party, std::string_view command) {
  return std::string(kFrom).append(party.text()).append("/").append(command);
}

std::string AcceptedTopic(const PartyId& party, std::string_view command) {
  return To(party, {command, "accepted"});
}

std::string RejectedTopic(const PartyId& party, std::string_view command) {
  return command.empty() ? To(party, {"rejected"}) : To(party, {command, "rejected"});
}

std::string DoTopic(const PartyId& mno, std::string_view action) { return To(mno, {"do", action}); }

std::string EventTopic(const PartyId& party, std::string_view type) { return To(party, {"event", type}); }

std::string OwnSpaceOf(const PartyId& party) { return To(party, {""}); }

std::optional<PartyId> ReaderOf(std::string_view topic) {
  if (!topic.starts_with(kTo)) return std::nullopt;
  topic.remove_prefix(kTo.size());
  return PartyId::Parse(topic.substr(0, topic.find('/')));
}

Status CheckResponseTopic(const PartyId& party, std::string_view topic) {
  const std::string own = To(party, {});
  if (topic != own && !topic.starts_with(own + "/")) {
    return Error::Make(Code::kPolicy, "response_topic_foreign",
                       "the Response Topic must lie below registry/v1/to/<own party>/");
  }
  if (topic.size() > kResponseTopicMax) {
    return Error::Make(Code::kRange, "response_topic_too_long",
                       "the Response Topic has more than 512 octets");
  }
  // Mosquitto ends the connection of whoever publishes below more than 200 levels: one such reply in the outbox would
  // silence the registry for everybody.
  if (std::count(topic.begin(), topic.end(), '/') > kResponseLevelsMax) {
    return Error::Make(Code::kRange, "response_topic_too_deep", "the Response Topic has more than 17 levels");
  }
  if (topic == own || !NoEmptyLevel(topic.substr(own.size() + 1))) {
    return Error::Make(Code::kValueSyntax, "response_topic_malformed",
                       "the Response Topic has an empty level, or none below registry/v1/to/<own party>/");
  }
  if (!std::all_of(topic.begin(), topic.end(), PlainTopicChar)) {
    return Error::Make(Code::kValueSyntax, "response_topic_malformed",
                       "the Response Topic holds '+', '#' or a control character");
  }
  return Done{};
}

}  // namespace registry::wire
