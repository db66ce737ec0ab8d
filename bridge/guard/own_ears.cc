#include "bridge/guard/own_ears.h"

#include <iterator>

#include "schemas/wire/topics.h"

namespace registry::guard {
namespace {

using wire::kFrom;

// The party of "registry/v1/from/PARTY" and of what is below; empty for anything else, wildcards too. MQTT 5 §4.7.1.2: a
// filter that ends with "/#" hears the level above it as well.
std::string_view PartyOf(std::string_view topic) {
  if (!topic.starts_with(kFrom)) return {};
  topic.remove_prefix(kFrom.size());
  const std::string_view party = topic.substr(0, topic.find('/'));
  return party.find_first_of("+#") == std::string_view::npos ? party : std::string_view();
}

}  // namespace

void OwnEars::Subscribed(const std::string& client_id, const std::string& user, std::string_view filter) {
  if (!filter.starts_with(kFrom)) return;
  connected_.insert(client_id);
  const std::string_view party = PartyOf(filter);
  const std::string tail = "/" + std::string(party);
  if (!party.empty() && filter == std::string(kFrom) + std::string(party) + "/#" &&
      client_id.ends_with(tail)) {
    users_[client_id] = user;
  }
}

void OwnEars::Disconnected(const std::string& client_id) {
  connected_.erase(client_id);
  const std::string head = client_id + "/";
  for (auto ear = users_.lower_bound(head); ear != users_.end() && ear->first.starts_with(head);) {
    ear = connected_.contains(ear->first) ? std::next(ear) : users_.erase(ear);
  }
}

bool OwnEars::Spared(const std::string& client_id, const std::string& user, std::string_view topic) const {
  const std::string_view party = PartyOf(topic);
  if (party.empty() || users_.empty()) return false;
  const std::string own = client_id + "/" + std::string(party);
  const auto ear = users_.find(own);
  if (ear == users_.end() || ear->second != user) return false;
  return connected_.contains(own) || !connected_.contains(client_id);
}

}  // namespace registry::guard
