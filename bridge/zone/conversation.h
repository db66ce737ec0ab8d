// bridge/zone/conversation.h: messages to and from one server over TCP, or over TLS, each with its length in front.
// Owns: the socket, non-blocking. Every call ends at the deadline, and soon after `stopping` says yes.
// Errors: as the function makes them that it was given, with the reason; the conversation is of no use behind one.
// Threads: one.        Spec: RFC 1035 §4.2.2, RFC 7766 §8, RFC 9103 §7.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "bridge/zone/channel.h"
#include "bridge/zone/wire.h"

namespace registry::zone {

class Conversation {
 public:
  using Clock = std::chrono::steady_clock;
  using Failure = Error (*)(const std::string& why);

  Conversation(Socket socket, Clock::time_point until, std::function<bool()> stopping, Failure failed)
      : channel_(std::move(socket)), until_(until), stopping_(std::move(stopping)), failed_(failed) {}

  // Over TLS: the server's certificate has to be for this name. The handshake is made with the first message.
  struct Tls {
    std::shared_ptr<SSL_CTX> context;
    std::string name;
  };
  Conversation(Socket socket, const Tls& tls, Clock::time_point until, std::function<bool()> stopping,
               Failure failed)
      : channel_(std::move(socket), *tls.context, tls.name),
        until_(until),
        stopping_(std::move(stopping)),
        failed_(failed) {}

  void Until(Clock::time_point until) { until_ = until; }
  Status Send(View octets);
  Result<Bytes> ReceiveMessage();

 private:
  Result<Bytes> Receive(std::size_t size);
  // Behind a call that took nothing: waits when it is for that only.
  Status Again(Channel::Took took, short event);

  Channel channel_;
  Clock::time_point until_;
  std::function<bool()> stopping_;
  Failure failed_;
};

}  // namespace registry::zone
