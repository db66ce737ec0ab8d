// bridge/zone/transfers.h: who asks for the zone is answered: the responder, and the server that it answers through, over
// UDP, TCP and, where the options name a certificate, TLS.
// Owns both. Options, store and clock outlive it. Threads: Start and Stop from one; the rest from any.
// Errors of Start: tls_files, and those of the sockets.
#pragma once

#include "bridge/zone/publisher.h"
#include "bridge/zone/server.h"

namespace registry::zone {

// What the options say of TLS, read. Null: there is none.
Result<std::unique_ptr<TransferTls>> LoadTransferTls(const Options& options);

class Transfers {
 public:
  Transfers(const Options& options, const ZoneStore& store, TsigKeys keys, const Clock& clock,
            const LogLine& log);

  Status Start();
  void Stop() { server_.Stop(); }
  const TsigKeys& keys() const { return responder_.keys(); }
  std::string PortsText() const;
  void CountInto(Snapshot& snapshot) const;
  // The certificate and what belongs to it, as the files are now.
  Status ReadTlsAgain();

 private:
  const Options& options_;
  const LogLine log_;
  Responder responder_;
  std::unique_ptr<TransferTls> tls_;
  TransferServer server_;
};

}  // namespace registry::zone
