// clients/verify/one_client.h: waits for one TLS client, takes its certificate and what it sends as dane_clientid, and lets
// it go. It believes nothing of what it is shown but that the client holds the certificate's key.
// Owns: the listening socket, the connection. Threads: one. Deadline: one for all of it.
// Errors: 2400 listen_failed, no_client (none came in time), handshake_failed; 2005 server_key_malformed.
// Spec: RFC 8446 §4.4.2 (Certificate), §4.4.3 (CertificateVerify); draft-ietf-dance-client-auth-13.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "schemas/base/result.h"

namespace registry::clients {

struct DoorOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::string certificate_file, key_file;  // both empty: a key and a certificate of the moment
  unsigned identity_extension = 0;
  std::chrono::milliseconds within{30'000};
};

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using OwnedX509 = std::unique_ptr<X509, FreeCertificate>;

struct SeenClient {
  OwnedX509 certificate;  // null: it showed none
  std::optional<std::string> sent_name;
  std::string protocol;  // "TLSv1.3"
};

// `listening` is told the port once clients can come.
Result<SeenClient> WaitForClient(const DoorOptions& options,
                                 const std::function<void(std::uint16_t)>& listening);

}  // namespace registry::clients
