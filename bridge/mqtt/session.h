// bridge/mqtt/session.h: the registry's way to the broker, by MQTT 5; the only room that includes Paho.
// Connections: one that says everything and hears everybody, and one more per entry of `parties` that hears that party
//   alone. A broker hands a session its messages in the order they came, so in one session a party that says a hundred
//   thousand things stands before everybody else; in its own it stands before itself only. They live and end together.
//   The guard in the broker (bridge/guard/own_ears.h) spares the first what the others hear; without it such messages
//   reach the handler twice.
//   Where several nodes hear together (`share`), each has one connection, and the broker gives each message to one of them.
// Inbound: every message below registry/v1/from/# reaches `handler` on Paho's receive thread. Paho sends
//   PUBACK after the handler has returned, so the handler appends to the intake and nothing more (reference:
//   Paho C 1.3.12). The handler must not throw.
// Session: clean start off, session expiry and Receive Maximum set, TLS 1.3 with the registry's client
//   certificate, reconnect with exponential backoff and jitter, subscribes again after each connect.
// Threads: Start, HearOut and Stop from one thread, Publish from any. Stop disconnects within its deadline.
// Spec: MQTT 5.0 §3.1.2.4, §3.1.2.11, §4.3.2, §4.8.2, §4.10.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge/ingest/inbound.h"
#include "bridge/log_line.h"
#include "bridge/outbox/relay.h"

namespace registry::mqtt {

struct SessionOptions {
  std::string host = "127.0.0.1";
  int port = 8883;
  std::string client_id = "registryd";
  std::vector<std::string> parties;  // heard in sessions of their own, "CLIENT_ID/PARTY"; not with `share`
  // The group of nodes that hear together (§4.8.2), each under a client identifier of its own; empty: this one hears alone.
  std::string share{};
  std::string ca_file, certificate_file, key_file;
  std::chrono::seconds session_expiry{24 * 3600};
  std::chrono::seconds keep_alive{30};
  std::chrono::milliseconds backoff_min{100}, backoff_max{15000};
  int receive_maximum = 10000;
  int in_flight_max = 1000;
  // Whether this process may be the one that has the registry's sessions; null: it may. may_connect is asked before each
  // connect, again and again until it says so, may_stay while connected: then the connections are closed, and the broker
  // keeps the sessions. On the session's own thread; must not wait for long.
  std::function<bool()> may_connect{}, may_stay{};
  LogLine log;  // from several threads, must not block
};

// What a session hears: everybody, alone or with its group; or one party.
std::string FilterOfAll(const std::string& share);
std::string FilterOf(const std::string& party);

class Session : public outbox::Publisher {
 public:
  using Handler = std::function<void(const ingest::InboundMessage&)>;
  Session(SessionOptions options, Handler handler);
  ~Session() override;
  void Start();  // returns at once; connects in the background
  // With `share`, before Stop, and only while another one of the group goes on: takes no more messages, and hears what the
  // broker still has for this one. Publish goes on. True: everything was heard, and Stop ends the session at the broker.
  // False: not within the deadline, and Stop leaves the session with what is in it to an heir (heir.h). A connection that
  // ends from here on is not opened anew.
  bool HearOut(std::chrono::milliseconds deadline);
  // The broker keeps the session and what comes for it, but for one that was heard out.
  void Stop(std::chrono::milliseconds deadline);
  // Who is heard alone from now on; nobody with `share`. The connections that are up stay: those of new parties are opened
  // beside them, those of others closed. Until a party has its own it is heard by the first one. Any thread; returns at
  // once.
  void ChangeParties(std::vector<std::string> parties);
  // So that another connection of this process opens at once, and not after Paho's next look at new sockets (connection.h).
  // Any thread.
  void Stir() const;
  bool connected() const;
  std::string trouble()
      const;  // why it is not connected; empty while it is, or before the first attempt has failed
  std::uint64_t reconnects() const;
  struct Traffic {
    std::uint64_t heard = 0, said = 0;  // messages; what was given to the connection counts as said
  };
  Traffic traffic() const;
  Status Publish(Message message, Confirmed confirmed) override;
  std::size_t AtOnceMax()
      const override;  // §3.2.2.3.3: the broker's Receive Maximum, or in_flight_max if that is less

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace registry::mqtt
