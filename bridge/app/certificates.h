// bridge/app/certificates.h: whether certificates that a configuration names can do their work now, as every verifier
// will ask.
// Pure, any thread. Errors (2400): chain_invalid, the message begins with the key of the configuration.
#pragma once

#include <string>
#include <vector>

#include "schemas/base/bytes.h"
#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"

namespace registry::app {

// The issuing certificate is the root's, both are CA certificates in their time (RFC 5280 §6.1.3, §4.2.1.9, §4.2.1.3),
// and small enough for the pilot's containers. `issuing_key` is what messages call it.
Status CheckChain(const Bytes& root, const Bytes& issuing, UtcTime now,
                  const std::string& issuing_key = "pki.issuing_certificate");
// `section`.certificate is for `section`.name, and in its time.
Status CheckServer(const std::string& section, const std::string& name, const Bytes& certificate,
                   UtcTime now);

// Its time is over (RFC 5280 §4.1.2.5): of an issuing CA no certificate is left that counts. False for what is no
// certificate.
bool HasEnded(const Bytes& certificate, UtcTime now);

// The dNSNames in it (RFC 5280 §4.2.1.6); none for what is no certificate.
std::vector<std::string> DnsNamesOf(const Bytes& certificate);

}  // namespace registry::app
