#include "bridge/zone/transfers.h"

namespace registry::zone {

Result<std::unique_ptr<TransferTls>> LoadTransferTls(const Options& options) {
  if (!options.tls.on()) return std::unique_ptr<TransferTls>();
  std::vector<std::string> names;
  for (const SecondaryAddress& secondary : options.secondaries) {
    if (!secondary.tls_name.empty()) names.push_back(secondary.tls_name);
  }
  // A node that stands by shows what all nodes have.
  if (!names.empty()) {
    const auto own = MakeTlsToPeer(options.tls.files);
    if (!own) return own.error();
    if (!own->name.empty()) names.push_back(own->name);
  }
  return TransferTls::Load(options.tls.files, std::move(names));
}

Transfers::Transfers(const Options& options, const ZoneStore& store, TsigKeys keys, const Clock& clock,
                     const LogLine& log)
    : options_(options),
      log_(log),
      responder_(store, std::move(keys), clock, log, options.tls.on() && options.tls.only),
      server_(responder_, log) {}

Status Transfers::Start() {
  auto tls = LoadTransferTls(options_);
  if (!tls) return tls.error();
  tls_ = std::move(*tls);
  if (tls_) {
    if (auto listens = server_.ListenTls(options_.tls.address, options_.tls.port, *tls_); !listens)
      return listens;
  }
  return server_.Start(options_.listen_address, options_.listen_port);
}

std::string Transfers::PortsText() const {
  const std::string plain = "port " + std::to_string(server_.port());
  return tls_ ? plain + ", over TLS on port " + std::to_string(server_.tls_port()) : plain;
}

void Transfers::CountInto(Snapshot& snapshot) const {
  const Counters& counters = responder_.counters();
  snapshot.port = server_.port();
  snapshot.tls_port = server_.tls_port();
  snapshot.axfr = counters.axfr;
  snapshot.ixfr = counters.ixfr;
  snapshot.refused = counters.refused;
  snapshot.dropped = server_.dropped();
  snapshot.tls_made = server_.tls_made();
  snapshot.tls_refused = server_.tls_refused();
}

Status Transfers::ReadTlsAgain() {
  if (!tls_) return Done{};
  auto read = tls_->ReadAgain();
  if (read) log_.Info("zone: the certificate for transfers over TLS was read again");
  return read;
}

}  // namespace registry::zone
