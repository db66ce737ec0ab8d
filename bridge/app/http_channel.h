// bridge/app/http_channel.h: the octets of one connection to the operator's pages: as they are, or in TLS, whose handshake
// is made while the first are read. Never waits: a call that would have to says so, and waits_for() what to poll for.
// Owns its socket. Threads: the server's only.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "bridge/zone/socket.h"

namespace registry::app {

class HttpChannel {
 public:
  enum class Took { kSome, kWouldWait, kEnded };  // kEnded: the peer's end, or an error

  // `tls` null: plain.
  HttpChannel(zone::Socket socket, SSL_CTX* tls);
  int fd() const { return socket_.fd(); }
  bool in_tls() const { return tls_ != nullptr; }
  // What TLS wants before it goes on: POLLIN or POLLOUT; 0: nothing of its own.
  short waits_for() const { return waits_for_; }
  // Appends all that is there, up to some KiB.
  Took Receive(std::string& to);
  // How much of it was taken is added to `sent`.
  Took Send(std::string_view octets, std::size_t& sent);
  // Nothing more is sent (TLS close_notify, TCP FIN).
  void EndSending();
  // Reads away what is there.
  Took Drain();
  // The common name of the peer's certificate, which was verified; empty without one.
  std::string PeerName() const;

 private:
  Took Judge(int outcome);

  zone::Socket socket_;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls_{nullptr, SSL_free};
  short waits_for_ = 0;
};

}  // namespace registry::app
