// simulators/mqtt/attempt.h: what becomes of each attempt to connect, so that a failed one is explained in a line: address,
// step (name look-up, TCP, TLS, MQTT) and reason. libmosquitto's codes do not say why TLS failed; so the attempt brings its
// own SSL_CTX, which hears OpenSSL's verdicts and the broker's alerts.
// Demands: TLS 1.3, the broker's certificate issued below ca_file (RFC 5280 §6.1) and for the host (RFC 6125 §6.4).
// Owns: the SSL_CTX, of which libmosquitto keeps a reference of its own.
// Threads: one, the network's; Make before it starts.
// Errors: client_failed, where one of the party's own files is not taken; the message names it.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "schemas/base/result.h"
#include "simulators/mqtt/client.h"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;
using X509_STORE_CTX = struct x509_store_ctx_st;

namespace registry::sim {

class Attempt {
 public:
  static Result<std::unique_ptr<Attempt>> Make(const ClientOptions& options);
  ~Attempt();
  SSL_CTX* context() {
    return context_;
  }  // nullptr where a user and a password stand in a certificate's place

  void Begin();                          // another attempt: nothing is known of it
  void Called(int code, int error);      // libmosquitto's connect: its code, and errno for MOSQ_ERR_ERRNO
  void At(int socket);                   // connected: to which address
  void Answered(int reason);             // CONNACK, MQTT 5 §3.2.2.2
  void NotGranted();                     // SUBACK refuses, or grants less than QoS 1
  void Logged(const std::string& line);  // what libmosquitto says of OpenSSL's errors
  bool TooLate() const;                  // it neither came about nor failed in time
  std::string Trouble() const;           // HOST:PORT (ADDRESS): STEP: REASON

 private:
  using Clock = std::chrono::steady_clock;
  explicit Attempt(const ClientOptions& options);
  std::string Prepare(const ClientOptions& options);  // empty, or what is wrong
  std::string TlsReason() const;
  std::string StepAndReason() const;

  static int Verified(int good, X509_STORE_CTX* store);
  static void Happened(const SSL* ssl, int where, int value);

  const std::string host_, where_;
  const std::chrono::milliseconds within_;
  SSL_CTX* context_ = nullptr;
  Clock::time_point begun_;
  std::string address_, refused_, verdict_, alert_, logged_, mqtt_;
  bool shaking_ = false, shaken_ = false;  // TLS handshake begun, done
};

}  // namespace registry::sim
