#include "schemas/wire/topics.h"

#include <algorithm>

namespace registry::wire {
namespace {

constexpr std::string_view kFrom = "registry/v1/from/";
constexpr std::string_view kTo = "registry/v1/to/";
constexpr std::size_t kCommandMax = 64;
constexpr std::size_t kResponseTopicMax = 512;
constexpr std::ptrdiff_t kResponseLevelsMax = 16;

bool CommandSyntax(std::string_view text) {
  if (text.empty() || text.size() > kCommandMax) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '.'; });
}

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

}  // namespace

std::optional<CommandTopic> ParseCommandTopic(std::string_view topic) {
  if (topic.substr(0, kFrom.size()) != kFrom) return std::nullopt;
  topic.remove_prefix(kFrom.size());
  const std::size_t slash = topic.find('/');
  if (slash == std::string_view::npos || !CommandSyntax(topic.substr(slash + 1))) return std::nullopt;
  const std::optional<PartyId> party = PartyId::Parse(topic.substr(0, slash));
  if (!party) return std::nullopt;
  return CommandTopic{*party, std::string(topic.substr(slash + 1))};
}

std::string CommandTopicOf(const PartyId& party, std::string_view command) {
  return std::string(kFrom).append(party.text()).append("/").append(command);
}

std::string AcceptedTopic(const PartyId& party, std::string_view command) {
  return To(party, {command, "accepted"});
}

std::string RejectedTopic(const PartyId& party, std::string_view command) {
  return To(party, {command, "rejected"});
}

std::string DoTopic(const PartyId& mno, std::string_view action) { return To(mno, {"do", action}); }

std::string EventTopic(const PartyId& party, std::string_view type) { return To(party, {"event", type}); }

bool InOwnSpace(const PartyId& party, std::string_view topic) {
  const std::string own = To(party, {""});
  if (topic.size() > kResponseTopicMax || topic.substr(0, own.size()) != own) return false;
  // Mosquitto ends the connection of whoever publishes below more than 200 levels: one such reply in the outbox would
  // silence the registry for everybody.
  if (std::count(topic.begin(), topic.end(), '/') > kResponseLevelsMax) return false;
  return NoEmptyLevel(topic.substr(own.size())) && std::all_of(topic.begin(), topic.end(), PlainTopicChar);
}

}  // namespace registry::wire
