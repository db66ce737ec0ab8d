// bridge/guard/own_ears.h: which session of the registry hears a party, when one of them is that party's own. The registry
// hears everybody through one session, and each party it knows through another, so that what one party says never waits
// behind what another said (bridge/mqtt/session.h). The broker would give both sessions a copy; here the first one is
// spared what the second hears.
// Rule: session "ID" is spared registry/v1/from/PARTY and all below it while session "ID/PARTY", of the same user, is
//   connected and has subscribed to exactly those; and while both are away, so that what is kept for them is kept once, if
//   the party's own was there until "ID" left: else nobody may ever come for what it keeps. No other session is touched.
// Plain value, one thread. Limits: one entry per session that ever subscribed so; only users that may read such topics
//   are entered, which the caller sees to. Forgotten when the broker ends: what is said until the registry is back
//   reaches it twice, which its commands' ids make harmless.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace registry::guard {

class OwnEars {
 public:
  void Subscribed(const std::string& client_id, const std::string& user, std::string_view filter);
  void Disconnected(const std::string& client_id);
  // Whether this session is to be spared the message.
  bool Spared(const std::string& client_id, const std::string& user, std::string_view topic) const;

 private:
  std::map<std::string, std::string> users_;  // of sessions that are one party's own, by client identifier
  std::set<std::string> connected_;           // client identifiers of sessions that subscribed below from/
};

}  // namespace registry::guard
