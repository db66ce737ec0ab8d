// clients/conformance/relay.h: what stands between the party and the broker, so that a connection can break at a chosen
// moment. It carries octets both ways and reads none of them: TLS is between the two ends.
// Owns: the listening socket, every connection, one thread. Threads: every call from any.
// Fault model: Cut ends every connection; away, new ones are refused; deaf, what the party says stays here, so that no
//   PUBACK and no report reaches the broker; still, nothing moves and nobody is told, as when a network is gone, until it
//   goes on from where it stood.
// Limits: kConnectionsMax connections, 64 KiB of each direction at a time. Errors: relay_failed.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "schemas/base/own_thread.h"
#include "schemas/base/result.h"

namespace registry::conformance {

class Relay {
 public:
  static constexpr std::size_t kConnectionsMax = 64;
  // Listens on the loopback address; `port` 0: any.
  static Result<std::unique_ptr<Relay>> Open(std::uint16_t port, std::uint16_t broker_port);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  std::uint16_t port() const { return port_; }
  void Cut() { cut_ = true; }
  void SetAway(bool away) { away_ = away; }
  void SetDeaf(bool deaf) { deaf_ = deaf; }
  void SetStill(bool still) { still_ = still; }
  std::size_t connections() const { return connections_; }

 private:
  struct Pair {
    int party = -1, broker = -1;
    std::string to_broker, to_party;  // read and not yet written
    bool over = false;
  };
  Relay(int listener, std::uint16_t port, std::uint16_t broker_port)
      : listener_(listener), port_(port), broker_port_(broker_port) {}
  void Loop();
  void Accept();
  void Turn(Pair& pair, short party, short broker);
  void Close(Pair& pair);
  void Sweep(bool all);

  const int listener_;
  const std::uint16_t port_, broker_port_;
  std::atomic<bool> cut_{false}, away_{false}, deaf_{false}, still_{false};
  std::atomic<std::size_t> connections_{0};
  std::list<Pair> pairs_;  // the thread's alone
  OwnThread thread_;
};

// A loopback port that nothing listens on now; 0: there is none.
std::uint16_t FreePort();
// Somebody accepts connections there.
bool Listens(std::uint16_t port);

}  // namespace registry::conformance
