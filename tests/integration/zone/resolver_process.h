// tests/integration/zone/resolver_process.h: a real validating resolver (Unbound) that trusts the KSK of the zone under test
// and asks one name server for it, on a free loopback port; and what a stub resolver hears from it.
#pragma once

#include <memory>
#include <string>

#include "simulators/lab/ports.h"
#include "simulators/lab/process.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {

struct Heard {
  bool answered = false;  // false: nothing came in time, and the rest says nothing
  std::uint8_t rcode = 0;
  bool validated = false;   // the AD flag (RFC 6840 §5.7)
  std::size_t records = 0;  // of the type asked for
  std::uint32_t ttl = 0;    // of the first of them
  bool believed() const { return answered && rcode == 0 && validated && records > 0; }
  bool nxdomain() const { return answered && rcode == 3 && validated; }
};
// One question over UDP, with AD and RD set.
Heard AskPort(std::uint16_t port, const std::string& name, std::uint16_t type = 52 /* TLSA */,
              std::chrono::milliseconds patience = std::chrono::seconds(5));

class ResolverProcess {
 public:
  explicit ResolverProcess(const ZoneFiles& files) : files_(files) {}
  // Asks the name server on `authority` for the test zone. `more`: lines of the `server:` clause. False: it did not validate
  // the zone's SOA in time.
  bool Start(std::uint16_t authority, const std::string& more = {});
  Heard Ask(const std::string& name, std::uint16_t type = 52) const { return AskPort(port_, name, type); }
  std::uint16_t port() const { return port_; }
  std::string Log() const;

 private:
  const ZoneFiles& files_;
  lab::Ports ports_;
  std::uint16_t port_ = 0;
  std::unique_ptr<lab::Process> process_;
};

}  // namespace registry::zone::testing
