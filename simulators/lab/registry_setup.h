// simulators/lab/registry_setup.h: makes the registry's folder the way an operator does (registryctl init, party add)
// and completes its configuration with what only the lab knows: ports, resolver, trust anchor, secondary.
#pragma once

#include <map>
#include <string>

#include "schemas/base/result.h"
#include "simulators/lab/authority_config.h"
#include "simulators/lab/layout.h"

namespace registry::lab {

struct RegistrySetup {
  std::string resolver_certificate_file;
  std::string trust_anchor;  // DS of the lab's root
  Authority authority = Authority::kBind;
  bool by_update = false;  // the zone is held where the hidden primary would listen (signing_server.h)
  int retry_first_seconds = 10;
  bool batches = false;  // to the parties that simulators play
  bool console = false;
  int validity_seconds =
      0;  // of certificates; 0: as a real registry's. With a short one renewal looks every second
  std::string postgres, postgres_password_file;  // of the ledger, as libpq's keywords; none: RocksDB
  int lease_seconds = 0;                         // of the ledger, where several registryd are on it; 0: one
  bool shared = false;                           // they all decide
  int tlsa_ttl = 5;  // short, so that a refusal after deactivation need not wait for caches
};

// Does nothing where the folder exists: a lab may be started again over its ledger.
Status InitRegistry(const Layout& layout, const std::string& registryctl);
Status CompleteConfig(const Layout& layout, const RegistrySetup& setup);
// What the first registryd has as it is now, as an operator copies it to another machine, with the ports and the name of
// this one. Its intake stays its own.
Status CopyRegistry(const Layout& layout, const OtherBridge& bridge);
// Of the configuration, which registryd reads at its start: keys of a section, or of a party's own table. Values as TOML
// writes them.
using Keys = std::map<std::string, std::string>;
Status SetKeys(const Layout& layout, const std::string& section, const Keys& keys);
Status SetOwnKeys(const Layout& layout, const std::string& party, const Keys& keys);

// The certificates of all issuing CAs that the registry's folder has (pki/issuing*.pem) in one file, as an ASP keeps them.
// A CA that has its certificate, but is not installed yet, is among them: ASPs must know it before (CERTIFICATES.md).
std::string IssuingTrust(const Layout& layout);
Status GatherIssuing(const Layout& layout);

struct TsigKey {
  std::string name, secret;  // base64
};
Result<TsigKey> ReadTsigKey(const Layout& layout);
// DS of the registry's zone for its parent.
Result<std::string> ReadZoneDs(const Layout& layout);

}  // namespace registry::lab
