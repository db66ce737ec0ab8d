// tests/integration/mqtt/broker.h: a real Mosquitto with the operator's own configuration (broker-config/),
// certificates made on the spot, on a free loopback port, in a folder of its own. Ended by its pid.
#pragma once

#include <memory>
#include <string>

#include "bridge/mqtt/session.h"
#include "bridge/signing/ca.h"
#include "simulators/lab/ports.h"
#include "simulators/lab/process.h"
#include "tests/support/openssl_tool.h"
#include "tests/support/raw_mqtt.h"

namespace registry::test {

// What Mosquitto runs with besides broker-config/.
struct BrokerFiles {
  std::string ca, certificate, key;
  std::string crl_line;  // of its configuration; empty: none
};
// In the folder; its log is mosquitto.log there.
void WriteBrokerConfig(const TemporaryFolder& folder, std::uint16_t port, const BrokerFiles& files);
// Returns when it answers.
std::unique_ptr<lab::Process> StartBroker(const TemporaryFolder& folder, std::uint16_t port);

class Broker {
 public:
  Broker();
  void Start();
  void Kill();                                // SIGKILL, and waits for the end
  void Reconfigure(const std::string& line);  // starts it again with this line
  void Reload();                              // SIGHUP, and waits until it is done
  // Another certificate, from the next start on; it begins and ends so many days before one that is good.
  void NameItself(const std::string& host, int days_ago = 0);

  // A certificate for `party` from the broker's CA.
  std::string CertificateOf(const std::string& party);
  std::string KeyOf(const std::string& party) { return folder_.In(party + ".key"); }
  mqtt::SessionOptions ForRegistry();
  // Whether it has one of the registry's under this name, with nobody connected to it; there is none afterwards.
  bool HasSession(const std::string& client_id);
  RawOptions ForParty(const std::string& party);

  const TemporaryFolder& folder() const { return folder_; }
  int port() const { return port_; }
  std::string log() const { return folder_.Read("mosquitto.log"); }

 private:
  TemporaryFolder folder_;
  lab::Ports ports_;
  std::uint16_t port_ = 0;
  std::unique_ptr<signing::Authority> ca_;
  std::unique_ptr<lab::Process> process_;
};

}  // namespace registry::test
