// clients/conformance/broker.h: a Mosquitto of the run's own with a lab's configuration, certificates and access list, on a
// port of its own, in a folder of its own, which goes with it. Behind a relay, so that its connections can break.
// It logs everything, so that what no message shows can be seen: how a party connects, subscribes and acknowledges.
// Owns: the process, the relay, the folder. Threads: one. Errors: broker_failed, with the end of its log.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "clients/conformance/child.h"
#include "clients/conformance/lab_files.h"
#include "clients/conformance/relay.h"

namespace registry::conformance {

// A CONNECT that was accepted.
struct SeenConnection {
  std::string client_id, user;
  int version = 0;  // MQTT: 3 (3.1), 4 (3.1.1) or 5
  bool clean = false;
};

class Broker {
 public:
  // The party connects to `port` (0: any free one).
  static Result<std::unique_ptr<Broker>> Start(const LabFiles& files, std::uint16_t port);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  Relay& relay() { return *relay_; }
  std::uint16_t own_port() const { return own_port_; }
  bool running() { return process_->running(); }

  // From the log, newest last; MQTT 5.0 §3.1 CONNECT, §3.8 SUBSCRIBE, §3.4 PUBACK.
  std::vector<SeenConnection> Connections(const std::string& user) const;
  // The QoS asked for with a filter that ends in `filter` ($share included); -1: none was.
  int SubscribedQos(const std::string& client_id, const std::string& filter) const;
  std::size_t SentTo(const std::string& client_id) const;  // PUBLISH packets

 private:
  Broker() = default;
  Status Launch(const LabFiles& files);
  bool SaysThatItRuns() const;
  std::vector<std::string> Log() const;

  std::string folder_;
  std::uint16_t own_port_ = 0;
  std::unique_ptr<Child> process_;
  std::unique_ptr<Relay> relay_;
};

}  // namespace registry::conformance
