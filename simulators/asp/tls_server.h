// simulators/asp/tls_server.h: where devices knock: TLS 1.3 (and 1.2 where that is wanted), a client certificate demanded,
// the decision by ClientCheck before a word of the application is answered ("welcome <name>", with a broker "welcome <name>
// mqtt <port>", or "refused <reason>").
// Owns: the listening socket, one thread that waits for all clients at once, `threads` that serve who has said something.
// Threads: OnSession on serving threads.
// Errors: 2400 tls_server_failed at the start; later only refusals, each told to OnSession.
// Fault model: none of its own; it refuses what it should and serves the rest. Clients may be slow, silent, gone in the
//   middle, or more than can wait; a resolver that is away makes it refuse (resolver_unreachable), never accept.
// Limits: one deadline for the handshake and one for the rest. A client that is silent, or in the middle of its handshake,
//   holds no thread. waiting_max connections are open; then the oldest gives way. The TLS library judges nothing about
//   the client's certificate but that its key is held: the rest is asked after the handshake, when a DNS
//   look-up holds up nobody else.
// Spec: RFC 8446 §4.4.2.4 (certificate_required); RFC 9325 §4.2 (what of TLS 1.2 is still good).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "clients/verdict/client_check.h"

namespace registry::sim {

using clients::ClientCheck;
using clients::OwnDevices;

struct TlsServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::string certificate_file, key_file;
  // For devices whose modem knows no other. No dane_clientid exists there, so the name is the certificate's.
  bool also_tls12 = false;
  // An ASP with a broker for its devices: its port at the endpoint's name, said with the welcome. 0: none.
  std::uint16_t mqtt_port = 0;
  std::size_t threads = 4;
  std::size_t waiting_max = 1024;
  std::chrono::milliseconds handshake_within{5000}, exchange_within{10000};
};

struct TlsSession {
  std::string name;                             // of the device; empty when it could not be told
  std::chrono::steady_clock::time_point begun;  // when the connection was taken up
  std::string reason;                           // empty: welcome
};

class TlsServer {
 public:
  using OnSession = std::function<void(const TlsSession&)>;
  static Result<std::unique_ptr<TlsServer>> Start(const TlsServerOptions& options, const ClientCheck& check,
                                                  OnSession on_session);
  virtual ~TlsServer() = default;  // ends every connection and joins every thread
  virtual std::uint16_t port() const = 0;
};

}  // namespace registry::sim
