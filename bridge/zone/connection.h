// bridge/zone/connection.h: one TCP connection of a secondary: requests in, in order; answers out, as the
// peer takes them. Owns its socket and at most one running answer; requests sent meanwhile wait in a bounded
// buffer (RFC 7766 §6.2.1.1). Deadlines: a request must be whole kRequestLimit after its first octet, an
// answer must make progress within kProgressLimit, an idle connection is closed after kIdleLimit. Threads:
// the server's thread only.      Spec: RFC 1035 §4.2.2, RFC 7766, RFC 5936 §4.1.
#pragma once

#include <chrono>

#include "bridge/zone/responder.h"
#include "bridge/zone/socket.h"

namespace registry::zone {

using Steady = std::chrono::steady_clock;
inline constexpr std::chrono::seconds kRequestLimit{5}, kProgressLimit{10}, kIdleLimit{30};

class Connection {
 public:
  Connection(Socket socket, Steady::time_point now)
      : socket_(std::move(socket)), peer_(PeerText(socket_)), deadline_(now + kIdleLimit) {}

  int fd() const { return socket_.fd(); }
  short events() const;
  bool authentic() const { return authentic_; }  // a request of this peer carried a TSIG that verified
  bool idle() const { return !reply_ && out_.empty() && in_.empty(); }
  Steady::time_point deadline() const { return deadline_; }
  // False: the connection is over.
  bool Turn(short events, Responder& responder, Steady::time_point now);

 private:
  bool Receive(Steady::time_point now);
  bool Work(Responder& responder, Steady::time_point now);
  bool TakeRequest(Responder& responder, bool& taken);
  bool Send(Steady::time_point now);

  Socket socket_;
  std::string peer_;
  Bytes in_, out_;
  std::size_t sent_ = 0;
  std::optional<Reply> reply_;
  bool ended_ = false;  // the peer sends no more
  bool authentic_ = false;
  Steady::time_point deadline_;
};

}  // namespace registry::zone
