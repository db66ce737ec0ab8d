// bridge/zone/transfer_tls.h: TLS 1.3 for zone transfers: ALPN "dot" or nothing, our certificate, and, where there is
// a CA of clients, a certificate of the secondary, which may have to have one of some names.
// Owns: the files' context. ReadAgain takes the files as they are now, for connections from then on; files that cannot
//   be used leave what was read before.
// Errors: tls_files; the message begins with the file. Threads: Load, ReadAgain and Current from any.
// Spec: RFC 9103 §7.1 (ALPN), §7.2 (TLS 1.3), §9.3.3 (mutual TLS).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bridge/tls_server.h"
#include "schemas/base/mutex.h"

namespace registry::zone {

// As ALPN writes it (RFC 7301 §3.1).
inline constexpr unsigned char kDot[] = {3, 'd', 'o', 't'};

class TransferTls {
 public:
  using Context = std::shared_ptr<SSL_CTX>;

  // `client_names`: a client's certificate has one of them as dNSName; empty: any that the CA has issued.
  static Result<std::unique_ptr<TransferTls>> Load(TlsServerFiles files,
                                                   std::vector<std::string> client_names);
  Status ReadAgain();
  Context Current() const;

 private:
  TransferTls(TlsServerFiles files, std::vector<std::string> client_names)
      : files_(std::move(files)), client_names_(std::move(client_names)) {}

  const TlsServerFiles files_;
  const std::vector<std::string> client_names_;
  mutable Mutex mutex_;
  Context context_ GUARDED_BY(mutex_);
};

}  // namespace registry::zone
