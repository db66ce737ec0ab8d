// bridge/mqtt/connection.h: one network connection to the broker, from CONNECT to its end; never revived.
// A new one has a new Paho client: Paho's own reconnect would send again, on its own account, what the relay
// carries again anyway, and its state across a lost connection is where its traps are. The MQTT session
// itself lives at the broker (clean start off), so messages to the registry are kept and delivered again.
// Owns: the Paho client. Threads: Open and Close from one thread; Publish and Stir from any; `arrived` and `lost` are
//   called on Paho's threads and must not call back. After the destructor nothing is called.
// Errors: connect_failed (message: address, step, reason), broker_unfit (its CONNACK asks for what the registry cannot
//   do), keep_alive_shorter (a new connection must say terms().keep_alive), subscribe_refused, not_connected,
//   in_flight_full.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge/mqtt/session.h"
#include "bridge/mqtt/terms.h"

namespace registry::mqtt {

class Connection {
 public:
  static constexpr std::string_view kShorterKeepAlive = "keep_alive_shorter";
  struct Events {
    Session::Handler arrived;
    // At least once when the connection ends by itself; the first time knows most.
    std::function<void(const std::string& why)> lost;
  };
  // What it hears, and under which client identifier.
  struct Part {
    std::string client_id;
    std::string filter;  // empty: nothing new, only what the broker has in the session
  };
  Connection(const SessionOptions& options, Part part, Events events);
  ~Connection();  // what is unconfirmed is answered with kLost, or kCutOff after a DISCONNECT for packet too large

  // Connects and subscribes; gives up early once `give_up` says so.
  Status Open(const std::function<bool()>& give_up);
  // Paho's one receiving thread looks at sockets that are new once a second, unless something arrives at one it knows.
  // This makes something arrive at this connection, which is open, while another one is being opened. It changes nothing.
  void Stir();
  const Terms& terms() const;         // of the broker, once Open has got as far as its CONNACK
  std::size_t in_flight_max() const;  // §4.9: what both sides allow to be unacknowledged
  Status Publish(outbox::Publisher::Message message, outbox::Publisher::Confirmed confirmed);
  // UNSUBSCRIBE, again and again, until nothing arrives between two answers. Each message that comes before an answer has
  // been through `arrived` by then, and its PUBACK left before the next question; so the broker has nothing left for this
  // session, and gets nothing. False: it is to give up, or the connection has ended.
  bool HearOut(const std::vector<std::string>& filters, const std::function<bool()>& give_up);
  bool alive() const;
  // DISCONNECT with reason 0, within the deadline. The broker keeps the session.
  // `forget`: the broker ends the session too, with what waits in it.
  void Close(std::chrono::milliseconds deadline, bool forget = false);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace registry::mqtt
