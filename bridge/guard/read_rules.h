// bridge/guard/read_rules.h: which topic filters a user may subscribe to, going by what Mosquitto's access list lets it
// read. Plain value, one thread.
// Rule: a filter is granted when everything it can match is readable by one line of the list. The list's own rules decide
//   on messages; this one decides on SUBSCRIBE, which Mosquitto 2.0 grants to everybody (security_default.c).
// Spec: MQTT 5 §4.7 filters, §4.8.2 shared subscriptions; mosquitto.conf(5), acl_file.
#pragma once

#include <istream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace registry::guard {

class ReadRules {
 public:
  // Lines that grant no reading (write, deny) are passed over, as are %c patterns.
  static ReadRules Parse(std::istream& acl_file);

  // `filter` as in SUBSCRIBE: "$share/GROUP/F" is judged as F. A user name that holds '+', '#' or '/' is granted nothing
  // through a pattern.
  bool Grants(const std::string& user, std::string_view filter) const;

 private:
  std::vector<std::string> patterns_;                           // with %u
  std::map<std::string, std::vector<std::string>> user_rules_;  // "": lines before any user, for the nameless
};

// Whether every topic that `filter` matches is matched by `rule` too.
bool Within(std::string_view filter, std::string_view rule);

}  // namespace registry::guard
