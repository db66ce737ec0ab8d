// bridge/zone/channel.h: the octets of one connection, accepted or made: as they are, or in TLS, whose handshake is made
// while the first are read or sent. Never waits: a call that would have to says so, and waits_for() what to poll for.
// Owns its socket. Threads: one, the server's or the caller's.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "bridge/zone/socket.h"

namespace registry::zone {

class Channel {
 public:
  enum class Took { kSome, kWouldWait, kEnded };  // kEnded: the peer's end, or an error

  // `tls` null: plain. fd() is -1 where OpenSSL has no memory for it.
  explicit Channel(Socket socket, SSL_CTX* tls = nullptr);
  // To a server, whose certificate has to be for `name`.
  Channel(Socket socket, SSL_CTX& tls, const std::string& name);
  int fd() const { return socket_.fd(); }
  const Socket& socket() const { return socket_; }
  bool in_tls() const { return tls_ != nullptr; }
  bool made() const { return made_; }  // no handshake is under way
  // What TLS wants before it goes on: POLLIN or POLLOUT; 0: nothing of its own.
  short waits_for() const { return waits_for_; }
  // Octets that TLS has read and nobody has taken: poll(2) does not see them. A part of a record is none yet.
  bool holds_some() const { return filled_ && SSL_has_pending(tls_.get()) == 1; }
  // Why there was no handshake, in a few words of OpenSSL's; empty: nothing has gone wrong in one, or the peer has gone
  // without a word, as whoever looks whether the port is open does. Of a connection to a server also what it says later: in
  // TLS 1.3 it judges our certificate when our handshake is over.
  const std::string& trouble() const { return trouble_; }
  // How many were taken is added to `got`.
  Took Receive(std::span<std::uint8_t> to, std::size_t& got);
  // How many were sent is added to `sent`.
  Took Send(std::span<const std::uint8_t> octets, std::size_t& sent);
  // Nothing more is sent (TLS close_notify, TCP FIN).
  void EndSending();

 protected:
  Socket socket_;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls_{nullptr, SSL_free};

 private:
  int ReadSome(std::span<std::uint8_t> to);
  int WriteSome(std::span<const std::uint8_t> octets);
  Took Judge(int outcome);

  void Begin(SSL_CTX* tls);

  bool to_server_ = false;
  // Once and for all: OpenSSL says of a connection that was cut off that its handshake is not finished.
  bool made_ = true;
  bool filled_ = false;  // in TLS, and the last Receive ended because it had no more room
  short waits_for_ = 0;
  std::string trouble_;
};

}  // namespace registry::zone
