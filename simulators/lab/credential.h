// simulators/lab/credential.h: self-made TLS credentials for the lab's servers (resolver, ASPs). The
// registry's own CAs and the parties' certificates are made by registryctl, as an operator would. Keys are
// P-256, PKCS#8 PEM, mode 0600. Errors: "credential_failed" with the reason. Any thread.
#pragma once

#include <string>

#include "schemas/base/result.h"

namespace registry::lab {

struct Credential {
  std::string key_file, certificate_file;
  std::string spki_sha256_hex;     // TLSA x 1 1, RFC 6698 §2.1
  std::string spki_sha256_base64;  // the pin of RFC 7858 §4.2
};

// Writes <stem>.key and <stem>.pem: a certificate for `dns_name` and 127.0.0.1 that vouches for itself, for a year.
Result<Credential> MakeCredential(const std::string& stem, const std::string& dns_name);

}  // namespace registry::lab
