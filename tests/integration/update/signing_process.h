// tests/integration/update/signing_process.h: a real name server that holds and signs the zone and takes UPDATE with
//   the key: Knot or BIND, with the configuration of bridge/update/README.md. It notifies one secondary. `before`: more
//   that stands in the zone already, in the words of a zone file; then the key may change NS, too.
// Owns: the process, which ends with this object; its folder is in that of the files.
#pragma once

#include <memory>

#include "simulators/lab/process.h"
#include "tests/integration/zone/secondary_process.h"

namespace registry::zone::testing {

class SigningProcess {
 public:
  SigningProcess(Software software, const ZoneFiles& files, std::uint16_t port, std::uint16_t secondary_port,
                 const std::string& before = {});

  void Start();  // returns when the zone is served, signed
  void Kill();   // SIGKILL
  std::uint16_t port() const { return port_; }
  std::string Dig(const std::string& arguments) const;
  std::string Update(const std::string& lines) const;  // by nsupdate, with the key
  // Public key of the KSK or CSK, as it stands behind "DNSKEY".
  std::string Anchor() const;
  std::string Log() const;

 private:
  const Software software_;
  const ZoneFiles& files_;
  const std::string folder_, config_;
  const std::uint16_t port_;
  std::unique_ptr<lab::Process> process_;
};

}  // namespace registry::zone::testing
