// simulators/device/tls_connection.h: one TLS connection of a device to a server (tls_client.h), and lines of text over it.
// Owns: the socket and the TLS session. Borrows the credentials until the handshake is over. Threads: one at a time.
// Deadline: one for the whole connection from Open on, however little the server says at a time.
// Errors: those of tls_client.h. Limits: a line has at most kLineMax octets.
#pragma once

#include <chrono>
#include <memory>

#include "simulators/device/tls_client.h"

namespace registry::sim {

class TlsConnection {
 public:
  static constexpr std::size_t kLineMax = 512;

  virtual ~TlsConnection() = default;
  // The handshake is done and the server is who it should be. In TLS 1.3 the server may still refuse the device's
  // certificate: then the first Read says so.
  static Result<std::unique_ptr<TlsConnection>> Open(const AspTarget& target,
                                                     const ClientCredentials& credentials, TlsVersion version,
                                                     std::chrono::milliseconds deadline);
  virtual Status Write(std::string_view text) = 0;
  // The next line without its end. An orderly end of the server's (close_notify) in the middle ends the line too; with
  // nothing left to read, asp_unreachable.
  virtual Result<std::string> ReadLine() = 0;
  virtual std::string Described() const = 0;  // e.g. "TLSv1.3 TLS_AES_256_GCM_SHA384"
};

}  // namespace registry::sim
