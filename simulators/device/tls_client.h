// simulators/device/tls_client.h: a device's end of TLS, whatever is spoken over it: the server known by DANE, a given CA or
// a given certificate; the client by its certificate and the key in its card, with its name in dane_clientid where the
// server asks for it (TLS 1.3).
// The card signs on P-256 with SHA-256 and nothing else, so that is all a device offers for its own signature. What a
// connection agrees on (ECDHE) and encrypts with is made outside the card. RSA key exchange and renegotiation are not
// offered.
// Owns: the contexts, for the life of the process. Threads: any; a connection belongs to one.
// Errors: 2400 asp_unreachable, 2400 applet_refused (the card did not sign; the message says what it answered), 2306
//   asp_untrusted (the server is not who it should be), 2201 refused (message "refused <reason>"; an alert is
//   "refused alert_<number>", and a server that demands a certificate from a device without one
//   "refused certificate_required").
// Spec: RFC 8446 §4.2.3, §4.4.2; RFC 5246 §7.4.8 (CertificateVerify of TLS 1.2); RFC 5746 §4.1; RFC 7671 §5.1 (no name
//   check with DANE-EE); RFC 6066 §3 (server name); draft-ietf-dance-client-auth-13.
#pragma once

#include <openssl/ssl.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/dane/tlsa.h"
#include "schemas/wire/messages.h"
#include "simulators/device/card_key.h"
#include "simulators/device/owned.h"

namespace registry::sim {

using clients::TlsaRecord;

enum class TlsVersion { k12, k13, kEither };
std::optional<TlsVersion> TlsVersionOf(std::string_view text);  // 1.2, 1.3 or any

struct AspTarget {
  std::string fqdn;
  std::string address;
  std::uint16_t port = 0;
  wire::EndpointTrust trust;
  std::vector<TlsaRecord> tlsa;  // of trust.tlsa_owner, proved
};

// Without certificate and key: a device that has lost its credentials and tries all the same.
struct ClientCredentials {
  X509* certificate = nullptr;
  const CardKey* key = nullptr;
  std::string name = {};  // sent as dane_clientid; empty: none is sent
};

// A context that knows nobody: what a connection trusts and shows is Prepare's.
OwnedSslContext MakeClientContext(TlsVersion version);
// One for the process: building a context costs more than a handshake.
SSL_CTX* SharedClientContext(TlsVersion version);

// Before the handshake. False: the endpoint's trust, or the device's own certificate and key, cannot be used; then nothing
// is trusted.
bool Prepare(SSL* ssl, const AspTarget& target, const ClientCredentials& credentials);
// Why the last call of the TLS library failed. Takes its errors.
Error WhyBroken(const SSL* ssl, const ClientCredentials& credentials, std::string_view when);

}  // namespace registry::sim
