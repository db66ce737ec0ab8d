#include "clients/mosquitto/sessions.h"

namespace registry::clients {

bool TopicSpace::Set(std::string_view pattern) {
  constexpr std::string_view kDevice = "%d", kAll = "/#";
  const auto at = pattern.find(kDevice);
  if (at == std::string_view::npos || !pattern.ends_with(kAll)) return false;
  const std::string_view before = pattern.substr(0, at);
  const std::string_view after =
      pattern.substr(at + kDevice.size(), pattern.size() - 1 - at - kDevice.size());
  // A wildcard elsewhere, or a level that holds more than the device, would let one device into another's space.
  const bool level = (before.empty() || before.ends_with('/')) && after.starts_with('/');
  if (!level || before.find_first_of("+#$") != std::string_view::npos ||
      after.find_first_of("+#") != std::string_view::npos) {
    return false;
  }
  before_ = before;
  after_ = after;
  return true;
}

bool TopicSpace::Holds(const std::string& device, std::string_view topic) const {
  const std::string prefix = before_ + device + after_;
  return topic.starts_with(prefix) && topic.size() > prefix.size();
}

void Sessions::Begin(const mosquitto* connection, Session session) {
  sessions_[connection] = {std::move(session), 0};
}

void Sessions::End(const mosquitto* connection) {
  const auto found = sessions_.find(connection);
  if (found == sessions_.end() || found->second.ended != 0) return;
  found->second.ended = ++ends_;
  ended_.push_back({connection, ends_});
  if (ended_.size() <= kEndedMax) return;
  const auto oldest = sessions_.find(ended_.front().connection);
  if (oldest != sessions_.end() && oldest->second.ended == ended_.front().number) sessions_.erase(oldest);
  ended_.pop_front();
}

void Sessions::Forget(const mosquitto* connection) { sessions_.erase(connection); }

const Sessions::Session* Sessions::Find(const mosquitto* connection) const {
  const auto found = sessions_.find(connection);
  return found == sessions_.end() ? nullptr : &found->second.session;
}

std::vector<Sessions::Session> Sessions::Of(const std::string& device) const {
  std::vector<Session> found;
  for (const auto& [connection, known] : sessions_) {
    if (known.ended == 0 && (device.empty() || known.session.device == device))
      found.push_back(known.session);
  }
  return found;
}

}  // namespace registry::clients
