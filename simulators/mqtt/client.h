// simulators/mqtt/client.h: a party's side of the interface over libmosquitto (the registry uses Paho: two client
// libraries disagree loudly where MQTT is misread). Only this room includes mosquitto.h.
// Commands are repeated with the same id until a reply comes or the deadline passes (README, "The journey of one message").
// A rejection with too_busy or disk_nearly_full is none: the registry has not looked at the command. One with 2400 or 2502
// and retryAfterSeconds is none either while the deadline is further away: the same command goes out again after that
// time (PARTY.md, rule 2).
// Owns: one libmosquitto network thread and one thread for repetitions and deadlines; both start with the first
//   WaitConnected or Call, so no handler runs before Open has returned. Handlers run on those threads and must be
//   quick. Call from any thread, also from handlers. The destructor disconnects and joins; waiting commands are
//   forgotten.
// Notifications and actions may be repeated by the broker: notifications are handed on once per seq, actions as often
//   as they come (the job's id tells repeats).
// Limits: in_flight_max commands wait for replies; Call then answers false at once.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "schemas/wire/codec.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/topics.h"
#include "simulators/mqtt/protocol_faults.h"

namespace registry::sim {

struct ClientOptions {
  std::string host = "127.0.0.1";
  int port = 8883;
  std::string ca_file, certificate_file, key_file;
  std::string party;
  std::string client_id;       // default: the party
  std::string user, password;  // in a certificate's place, without TLS: on this machine's own loopback only
  std::chrono::milliseconds connect_within{10000};  // from TCP to the SUBACK, then another attempt
  std::chrono::milliseconds repeat_after{5000};
  std::chrono::milliseconds give_up_after{60000};
  std::size_t in_flight_max = 2000;
  // A connection does not come about: address, step and reason, from the network thread. The same line comes once a minute,
  // another one at once.
  std::function<void(const std::string& trouble)> on_trouble;
  bool batches =
      false;  // what waits to be said travels together; batches that are heard are always understood
  ProtocolFaults faults = {};
};

struct Reply {
  bool accepted = false;
  nlohmann::json data;         // of the accepted reply
  std::optional<Error> error;  // of the rejection; symbol "no_reply" after give_up_after
};

class PartyClient {
 public:
  using OnReply = std::function<void(const Reply&)>;
  using OnAction = std::function<void(const std::string& action, const wire::Envelope&)>;
  using OnEvent = std::function<void(const std::string& type, const wire::Envelope&)>;

  static Result<std::unique_ptr<PartyClient>> Open(ClientOptions options, OnAction on_action,
                                                   OnEvent on_event);
  virtual ~PartyClient() = default;
  virtual bool WaitConnected(std::chrono::milliseconds deadline) = 0;
  virtual bool Call(const std::string& command, const nlohmann::json& data, OnReply on_reply) = 0;

  template <class Message>
  // NOLINTNEXTLINE(performance-unnecessary-value-param): moved on, which is not seen before Message is known
  bool Send(const Message& message, OnReply on_reply) {
    return Call(std::string(Message::kName), wire::Encode(message), std::move(on_reply));
  }
};

}  // namespace registry::sim
