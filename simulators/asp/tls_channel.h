// simulators/asp/tls_channel.h: one accepted TLS connection that never waits: each step goes as far as the octets that are
// there, and says what it waits for.
// Owns: the socket and the SSL object. Threads: one at a time. Errors: kFailed; what went wrong is in reason().
#pragma once

#include <openssl/ssl.h>

#include <string>

namespace registry::sim {

class TlsChannel {
 public:
  enum class Progress { kDone, kWait, kFailed };

  TlsChannel(SSL_CTX* context, int socket);  // takes the socket
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  int fd() const { return socket_; }
  short wants() const { return wants_; }  // poll(2) events, after kWait
  Progress Accept();
  Progress ReadLine(std::size_t max);                // then it is in line()
  const std::string& line() const { return line_; }  // without its end
  // One line: what a fresh connection's buffer does not take is lost.
  void Write(const std::string& text);
  void Close();  // says goodbye, waits for nobody
  // After a handshake refused with an alert: reads what the client still says until it goes (kDone), so that closing
  // does not reset the connection and lose the alert.
  Progress LetAlertArrive();
  X509* peer() const { return SSL_get0_peer_certificate(ssl_); }
  const SSL* connection() const { return ssl_; }
  const std::string& reason() const { return reason_; }
  void Fail(const std::string& reason) { reason_ = reason; }

 private:
  Progress After(int result);  // of a step of OpenSSL

  const int socket_;
  SSL* const ssl_;
  short wants_ = 0;
  bool leaving_ = false;
  int parts_ = 0;  // read while leaving
  std::string line_, reason_;
};

}  // namespace registry::sim
