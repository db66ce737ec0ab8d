// simulators/device/telemetry.h: what a device tells its ASP once it is active: MQTT to the ASP's own broker, over TLS with
// the key in the card. The broker is known as the endpoint is (AspTarget), the device by its certificate and its key.
// Topic: devices/<device id>/telemetry, the device's own level at the ASP's broker (clients/mosquitto/README.md).
// Owns: the TLS context of the session. Threads: one at a time. The card is used inside Open alone.
// Errors: those of tls_client.h and broker_link.h.
#pragma once

#include "simulators/device/tls_client.h"
#include "simulators/mqtt/broker_link.h"

namespace registry::sim {

class Telemetry {
 public:
  virtual ~Telemetry() = default;
  // The broker has accepted the session of this device; `id` is its UUID and the client id.
  static Result<std::unique_ptr<Telemetry>> Open(const AspTarget& broker,
                                                 const ClientCredentials& credentials, TlsVersion version,
                                                 const std::string& id, std::chrono::milliseconds deadline);
  // The broker has the message.
  virtual Status Send(const std::string& payload, std::chrono::milliseconds deadline) = 0;
  virtual BrokerLink& link() = 0;  // to be kept alive
};

}  // namespace registry::sim
