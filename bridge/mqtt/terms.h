// bridge/mqtt/terms.h: what the broker's CONNACK asks of a connection (MQTT 5 §3.2.2), and whether the registry can work
// under it. Plain values.
// Every property is dealt with: those below are obeyed; four ask nothing of a client that retains nothing, uses no topic
//   aliases, no subscription identifiers and no request for response information (Retain Available, Topic Alias Maximum,
//   Subscription Identifier Available, Response Information); Reason String, Server Reference and User Property come with
//   refusals and do not pass through Paho C++ 1.2; the authentication ones cannot come, since CONNECT names no method.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace mqtt {
class connect_response;
}

namespace registry::mqtt {

struct Terms {
  bool session_present = false;     // §3.2.2.1.1: the broker kept messages since the last connection
  std::size_t receive_max = 65535;  // §3.2.2.3.3: messages sent and not yet acknowledged
  int qos_max = 2;                  // §3.2.2.3.4
  std::size_t packet_max = 0;       // §3.2.2.3.6: octets; 0: no maximum
  std::string assigned_id;          // §3.2.2.3.7
  bool wildcards = true;            // §3.2.2.3.11
  bool shares = true;               // §3.2.2.3.13
  std::optional<std::chrono::seconds> keep_alive;      // §3.2.2.3.14: instead of the one asked for
  std::optional<std::chrono::seconds> session_expiry;  // §3.2.2.3.2: likewise
};

Terms TermsOf(const ::mqtt::connect_response& response);

// Why the registry cannot work under these terms; empty when it can. `sharing`: it hears together with others.
std::string Unfit(const Terms& terms, bool sharing);

}  // namespace registry::mqtt
