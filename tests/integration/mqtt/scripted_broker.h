// tests/integration/mqtt/scripted_broker.h: a broker that answers octet by octet what it is told, for what Debian's
// Mosquitto cannot be made to say.
// Fault model: it speaks TLS as the real broker does, one connection at a time, and is wrong or unusual only in its CONNACK,
//   its SUBACK, when it ends the connection and whether it acknowledges; it forwards nothing and keeps nothing.
// Owns one thread; asked from any.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "simulators/lab/ports.h"
#include "tests/support/openssl_tool.h"

namespace registry::test {

struct BrokerScript {
  std::string connack_properties = {};  // §3.2.2.3, without their length
  unsigned char granted = 1;            // §3.9.3
  std::size_t packet_max = 1 << 20;
  std::string disconnect = std::string("\xe0\x02\x95\0", 4);  // said to a PUBLISH above packet_max
  bool acknowledges = true;
};

class ScriptedBroker {
 public:
  // With the certificate broker.pem and its key broker.key in `folder`.
  ScriptedBroker(const TemporaryFolder& folder, BrokerScript script);
  ~ScriptedBroker();
  int port() const { return port_; }
  std::vector<int> keep_alives() const;  // of every CONNECT heard
  int publishes() const { return publishes_; }

 private:
  bool Serve();
  static std::string Suback(const std::string& subscribe, unsigned char granted);
  bool Disconnect(BIO* peer) const;
  bool Answer(BIO* peer);
  bool Acknowledge(BIO* peer, const std::string& publish);

  const BrokerScript script_;
  lab::Ports ports_;
  int port_ = 0;
  SSL_CTX* context_ = nullptr;
  BIO* listening_ = nullptr;
  mutable std::mutex mutex_;
  std::vector<int> keep_alives_;
  std::atomic<int> publishes_{0};
  std::thread thread_;
};

}  // namespace registry::test
