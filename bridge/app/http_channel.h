// bridge/app/http_channel.h: the octets of one connection to the operator's pages (bridge/zone/channel.h), and who is at its
// other end. Threads: the server's only.
#pragma once

#include <string>
#include <string_view>

#include "bridge/zone/channel.h"

namespace registry::app {

class HttpChannel : public zone::Channel {
 public:
  using Channel::Channel;
  // Appends all that is there, up to some KiB.
  Took Receive(std::string& to);
  // How much of it was taken is added to `sent`.
  Took Send(std::string_view octets, std::size_t& sent);
  // Reads away what is there.
  Took Drain();
  // The common name of the peer's certificate, which was verified; empty without one.
  std::string PeerName() const;
  // Whether the peer's certificate would be let in now: issued, in its time, not withdrawn (RFC 5280 §6.1, §6.3). TLS
  // itself judges it only in the handshake.
  bool StillTrusted(SSL_CTX& context) const;
};

}  // namespace registry::app
