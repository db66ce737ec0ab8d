// bridge/app/http_tls.h: TLS 1.3 for the operator's pages: our certificate, and a certificate of the peer that the
// interface CA has issued and its list does not withdraw. Whose it is, is for the pages to judge (HttpRequest::peer).
// Owns: the contexts of OpenSSL. The files are read again when the list has changed, looked at every kCrlLookEvery at most;
//   a list that cannot be read then keeps the last one, and is said in the log.
// Errors: tls_files, which says the file. Threads: Load from any; Current from the server's only.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "bridge/log_line.h"
#include "bridge/tls_server.h"

namespace registry::app {

class HttpTls {
 public:
  using Context = std::shared_ptr<SSL_CTX>;
  static constexpr std::chrono::seconds kCrlLookEvery{5};

  static Result<std::shared_ptr<HttpTls>> Load(TlsServerFiles files);
  Context Current(std::chrono::steady_clock::time_point now, const LogLine& log) const;

 private:
  explicit HttpTls(TlsServerFiles files) : files_(std::move(files)) {}

  const TlsServerFiles files_;
  mutable Context context_;
  mutable std::chrono::steady_clock::time_point looked_{};
  mutable std::filesystem::file_time_type crl_time_{};
};

}  // namespace registry::app
