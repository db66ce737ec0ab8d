// bridge/tls_server.h: what a server of this program speaks TLS 1.3 with: its certificate and key, and whose certificates of
// clients it takes. Also what it asks another server of its kind with. No sessions are resumed: a resumed one would let a
// certificate in that was withdrawn since.
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

// What this program speaks TLS 1.3 with to another one that has such files as a server: it shows its own certificate where
// it is asked, and believes its own one, its issuers behind it, and the CA of clients. The name in the other one's
// certificate is to be judged by the caller (SSL_set1_host). `name`: the first dNSName of ours; empty: it has none.
struct TlsToPeer {
  std::shared_ptr<SSL_CTX> context;
  std::string name;
};
Result<TlsToPeer> MakeTlsToPeer(const TlsServerFiles& files);

}  // namespace registry
