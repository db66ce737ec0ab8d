// simulators/mqtt/broker_link.h: one MQTT 5 session of a device with a broker, over TLS with the owner's SSL_CTX: so the
// private key may be anywhere, a card for one. libmosquitto speaks MQTT, the context's owner decides whom to trust and what
// to show.
// Owns: the connection, and a reference to the context. Threads: none of its own; one at a time calls. The handshake, and
//   with it the use of the key, happens inside Open. After that the key is not used any more.
// Errors: 2400 broker_unreachable; 2201 refused ("refused <reason>", MQTT 5's reason in words, e.g. not_authorized). An
//   alert by which a server of TLS 1.3 refuses the certificate may be lost with the connection: then it is
//   broker_unreachable.
// Limits: one message under way. While Open waits its descriptor must be below FD_SETSIZE (libmosquitto waits by select(2));
//   else broker_unreachable.
// Spec: MQTT 5.0 §3.1, §3.2.2.2 (reasons of CONNACK), §3.4.2.1 (of PUBACK), §3.14.2.1 (of DISCONNECT).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "schemas/base/result.h"

struct ssl_ctx_st;

namespace registry::sim {

struct BrokerLinkOptions {
  std::string address;
  std::uint16_t port = 0;
  std::string client_id;
  ssl_ctx_st* context = nullptr;
};

class BrokerLink {
 public:
  virtual ~BrokerLink() = default;  // says goodbye (DISCONNECT) when the session lives
  // The broker has accepted the session (CONNACK).
  static Result<std::unique_ptr<BrokerLink>> Open(const BrokerLinkOptions& options,
                                                  std::chrono::milliseconds deadline);
  // QoS 1; the broker has it (PUBACK).
  virtual Status Publish(const std::string& topic, const std::string& payload,
                         std::chrono::milliseconds deadline) = 0;
  // To be polled for input; -1 once the session is over.
  virtual int descriptor() const = 0;
  // Takes what has come, without waiting, and keeps the session alive: when there is input, and every second or so.
  virtual void Turn() = 0;
  // Why it is over: the reason of the broker's DISCONNECT in words, e.g. administrative_action, or connection_lost. Empty:
  // it lives.
  virtual const std::string& ended() const = 0;
};

}  // namespace registry::sim
