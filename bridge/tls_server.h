// bridge/tls_server.h: what a server of this program speaks TLS 1.3 with: its certificate and key, and whose certificates of
// clients it takes. No sessions are resumed: a resumed one would let a certificate in that was withdrawn since.
// Errors: tls_files; the message begins with the file that cannot be used. Threads: any; the context may then be shared.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "schemas/base/result.h"

namespace registry {

struct TlsServerFiles {
  std::string certificate,
      key;  // ours: PEM, the certificate first and its issuers behind it; the key is a secret file
  std::string client_ca,
      client_crl;           // of clients; no CA: they are not asked for a certificate; the list may be empty
  bool client_must = true;  // a client without a certificate is refused, where there is a CA
};

Result<std::shared_ptr<SSL_CTX>> MakeTlsServer(const TlsServerFiles& files);

}  // namespace registry
