// tests/unit/clients/dane/world.h: a small signed DNS to look things up in: a root, zones below it, NSD
// that serves them and Unbound that answers over TLS, all real, on free loopback ports in a folder of their
// own.
// Owns: the folder and both servers, ended with it. Threads: one. Errors: empty pointer, reason on stderr.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "schemas/base/bytes.h"

namespace registry::clients::test {

// How long the resolver keeps an idle connection; short, for a test to see the end of one.
inline constexpr std::chrono::milliseconds kResolverIdle{1000};

class World {
 public:
  // Zone name (no trailing dot) to its records, owner names relative to the zone, e.g. "@ 60 IN A 127.0.0.1".
  using Zones = std::map<std::string, std::vector<std::string>>;
  // `spoil`: text found in a signed zone file and what it becomes, so that its signature no longer fits.
  // `unsigned_zones`: served without a signature, and proved by their parent to need none (RFC 4035 §4.3).
  static std::unique_ptr<World> Start(const Zones& zones,
                                      const std::map<std::string, std::string>& spoil = {},
                                      const Zones& unsigned_zones = {});
  ~World();

  std::uint16_t dot_port() const { return dot_port_; }
  const Bytes& spki_pin() const { return pin_; }
  const std::string& anchor() const { return anchor_; }  // the root's DS, presentation form
  const std::string& folder() const { return folder_; }
  // It is also at ::1, where this machine has that address.
  static bool HasIpv6();
  void StopResolver();

 private:
  World() = default;
  std::string WriteZone(const std::string& zone, const std::vector<std::string>& records);  // its file's name
  bool SignZone(const std::string& zone, const std::vector<std::string>& records,
                const std::map<std::string, std::string>& spoil);
  void LeaveUnsigned(const std::string& zone, const std::vector<std::string>& records);
  bool MakeResolverCertificate();
  bool StartServers();

  std::string folder_, anchor_;
  std::vector<std::string> zones_;        // children first, root last
  std::vector<std::string> delegations_;  // NS and DS lines for the root
  Bytes pin_;
  std::uint16_t dns_port_ = 0, dot_port_ = 0;
  pid_t nsd_ = 0, unbound_ = 0;
};

// True when something listens there before the deadline.
bool WaitListening(std::uint16_t port, int deadline_ms);
// True when, before the deadline, the server on that port has closed a connection of this machine that the other end has
// not closed yet.
bool WaitClosedByPeer(std::uint16_t port, int deadline_ms);
std::uint16_t FreePort();
// Runs a program to its end in `folder`; its standard output, or nullopt when it failed.
std::optional<std::string> Run(const std::string& folder, const std::vector<std::string>& command);

}  // namespace registry::clients::test
