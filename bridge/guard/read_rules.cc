#include "bridge/guard/read_rules.h"

#include <algorithm>
#include <sstream>

namespace registry::guard {
namespace {

// Takes the first level off; `more` says whether another one follows.
std::string_view TakeLevel(std::string_view& topic, bool& more) {
  const std::size_t end = topic.find('/');
  const std::string_view level = topic.substr(0, end);
  more = end != std::string_view::npos;
  topic = more ? topic.substr(end + 1) : std::string_view();
  return level;
}

// MQTT 5 §4.8.2: $share/{group}/{filter}; empty when it has no filter.
std::string_view Unshared(std::string_view filter) {
  constexpr std::string_view kShare = "$share/";
  if (!filter.starts_with(kShare)) return filter;
  filter.remove_prefix(kShare.size());
  const std::size_t group = filter.find('/');
  return group == std::string_view::npos ? std::string_view() : filter.substr(group + 1);
}

std::string For(const std::string& user, std::string pattern) {
  for (std::size_t at = 0; (at = pattern.find("%u", at)) != std::string::npos; at += user.size()) {
    pattern.replace(at, 2, user);
  }
  return pattern;
}

std::string RestOf(std::istringstream& line) {
  std::string rest;
  std::getline(line >> std::ws, rest);
  rest.erase(rest.find_last_not_of(" \t\r") + 1);
  return rest;
}

// "[read|write|readwrite|deny] FILTER", the access being readwrite when it is left out; empty when it grants no reading.
std::string Readable(std::istringstream& line) {
  std::string rest = RestOf(line);
  const std::size_t blank = rest.find_first_of(" \t");
  const std::string access = rest.substr(0, blank);
  if (access == "write" || access == "deny") return "";
  if (access != "read" && access != "readwrite") return rest;
  const std::size_t filter = rest.find_first_not_of(" \t", blank);
  return filter == std::string::npos ? "" : rest.substr(filter);
}

}  // namespace

bool Within(std::string_view filter, std::string_view rule) {
  // §4.7.2: a wildcard at the front matches nothing that begins with '$'.
  if (filter.empty() || filter.starts_with('$') != rule.starts_with('$')) return false;
  for (bool filter_more = true, rule_more = true;;) {
    const std::string_view allowed = TakeLevel(rule, rule_more);
    if (allowed == "#") return true;
    const std::string_view level = TakeLevel(filter, filter_more);
    if (level == "#" || (allowed != "+" && allowed != level)) return false;
    // §4.7.1.2: "a/#" matches "a" too, so a filter may end one level before the rule's '#'.
    if (!filter_more) return !rule_more || rule == "#";
    if (!rule_more) return false;
  }
}

ReadRules ReadRules::Parse(std::istream& acl_file) {
  ReadRules rules;
  std::string user;
  for (std::string text; std::getline(acl_file, text);) {
    std::istringstream line(text);
    std::string kind;
    line >> kind;
    if (kind == "user") {
      user = RestOf(line);
    } else if (kind == "topic" || kind == "pattern") {
      const std::string filter = Readable(line);
      if (filter.empty() || filter.find("%c") != std::string::npos) continue;
      (kind == "pattern" ? rules.patterns_ : rules.user_rules_[user]).push_back(filter);
    }
  }
  return rules;
}

bool ReadRules::Grants(const std::string& user, std::string_view filter) const {
  const std::string_view asked = Unshared(filter);
  const auto within = [&](const std::string& rule) { return Within(asked, rule); };
  const auto own = user_rules_.find(user);
  if (own != user_rules_.end() && std::any_of(own->second.begin(), own->second.end(), within)) return true;
  if (user.empty() || user.find_first_of("+#/") != std::string::npos) return false;
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const std::string& pattern) { return within(For(user, pattern)); });
}

}  // namespace registry::guard
