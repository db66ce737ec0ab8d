// bridge/signing/ca.h: the certificates `registryctl init` makes, by a CA in memory. Two hierarchies that
// never mix:
//   devices:   root -> issuing (pathlen 0), whose key signs device certificates, payloads and CRLs;
//   interface: one CA, which vouches for the broker, registryd and the parties on MQTT.
// Profiles (RFC 5280): P-256, ECDSA with SHA-256, random 20-octet serials, SKI and AKI, critical BC and KU.
// Threads: values; any. Errors (2400): certificate_failed with OpenSSL's reason, name_invalid.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "bridge/signing/party_request.h"
#include "bridge/signing/private_key.h"
#include "schemas/base/utc_time.h"
#include "schemas/ids/ids.h"

namespace registry::signing {

struct Authority {
  PrivateKey key;
  Bytes certificate;  // DER
};

struct Validity {
  UtcTime now;  // notBefore is an hour earlier: clocks of devices are not all right
  std::chrono::days length{365};
};

Result<Authority> CreateRoot(const std::string& common_name, const Validity& validity);
// keyUsage digitalSignature, keyCertSign, cRLSign: it signs payloads and CRLs as well.
Result<Authority> CreateIssuing(const Authority& root, const std::string& common_name,
                                const Validity& validity);

// serverAuth; `hosts` are DNS names or IP addresses, all in the subjectAltName.
Result<Bytes> CreateServerCertificate(const Authority& ca, const PrivateKey& key,
                                      const std::vector<std::string>& hosts, const Validity& validity);
// clientAuth; CN is the party's id, which the broker takes for its user name (design §3).
Result<Bytes> CreatePartyCertificate(const Authority& ca, const PrivateKey& key, const PartyId& party,
                                     const Validity& validity);
// The same for a party that has kept its key.
Result<Bytes> CreatePartyCertificate(const Authority& ca, const PartyRequest& request, const PartyId& party,
                                     const Validity& validity);

}  // namespace registry::signing
