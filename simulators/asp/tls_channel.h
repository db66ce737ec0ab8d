// simulators/asp/tls_channel.h: one accepted TLS connection with a deadline for everything it does.
// Owns: the socket and the SSL object. Threads: one. Errors: false and empty results; what went wrong is in
//   reason().
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <optional>
#include <string>

namespace registry::sim {

class TlsChannel {
 public:
  using Clock = std::chrono::steady_clock;
  TlsChannel(SSL_CTX* context, int socket);  // takes the socket
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  void Until(Clock::time_point deadline) { deadline_ = deadline; }
  bool Accept();
  std::optional<std::string> ReadLine(std::size_t max);
  bool Write(const std::string& text);
  void Close();  // says goodbye, waits for nobody
  // After a handshake refused with an alert: reads what the client still says until it goes, so that closing
  // does not reset the connection and lose the alert.
  void LetAlertArrive(Clock::time_point deadline);
  X509* peer() const { return SSL_get0_peer_certificate(ssl_); }
  const std::string& reason() const { return reason_; }

 private:
  template <class Step>
  int Drive(Step step);  // repeats a non-blocking step until it is done, fails, or the deadline passes

  const int socket_;
  SSL* const ssl_;
  Clock::time_point deadline_ = Clock::time_point::max();
  std::string reason_;
};

}  // namespace registry::sim
