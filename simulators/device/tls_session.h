// simulators/device/tls_session.h: one session of a device with its ASP: TLS 1.3, the server known by DANE, a
// given CA or a given certificate; the client by its certificate and the key in its card; then one line each
// way.
// Application: device "hello <name>", ASP "welcome <name>" or "refused <reason>".
// Threads: any; the TLS context is shared. Deadline: one for the whole session, however little the server says at a time.
// Errors: 2400 asp_unreachable, 2306 asp_untrusted (the server is not who it should be), 2201 refused
//   (message "refused <reason>"; a server that demands a certificate from a device without one counts as
//   that).
// Spec: RFC 8446, RFC 7671 §5.1 (no name check with DANE-EE), RFC 6066 §3 (server name).
#pragma once

#include <chrono>

#include "clients/dane/tlsa.h"
#include "schemas/wire/messages.h"
#include "simulators/device/card_key.h"
#include "simulators/device/owned.h"

namespace registry::sim {

using clients::TlsaRecord;

struct AspTarget {
  std::string fqdn;
  std::string address;
  std::uint16_t port = 0;
  wire::EndpointTrust trust;
  std::vector<TlsaRecord> tlsa;  // of trust.tlsa_owner, proved
};

// Both null: a device that has lost its credentials and tries all the same.
struct ClientCredentials {
  X509* certificate = nullptr;
  const CardKey* key = nullptr;
};

Status TalkToAsp(const AspTarget& target, const ClientCredentials& credentials, const std::string& name,
                 std::chrono::milliseconds deadline);

}  // namespace registry::sim
