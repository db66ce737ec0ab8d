// simulators/asp/config.h: the configuration file of asp-sim (JSON); every member is in README.md beside this file.
// Errors: 2005 config_malformed, naming the member or file.
#pragma once

#include <optional>
#include <string>

#include "clients/dane/resolver.h"
#include "schemas/wire/messages.h"
#include "simulators/asp/tls_server.h"
#include "simulators/mqtt/client.h"
#include "simulators/party/transfers.h"

namespace registry::sim {

struct AspConfig {
  ClientOptions mqtt;
  std::chrono::milliseconds gap_patience{2000},
      feed_tick{500};  // before a gap in the feed is asked for; between two looks
  std::string desk_socket;
  std::map<std::string, std::string> desks;          // other parties, to which devices may be given
  TransferAnswer answer = TransferAnswer::kApprove;  // to a transfer by which it is to lose a device
  wire::Endpoint endpoint;
  TlsServerOptions tls;
  std::optional<ClientOptions> back_end;      // at the broker of its devices; none: it has no broker
  std::string root_file, issuing_file, zone;  // what devices must come from
  clients::ResolverTrust resolver;
};

Result<AspConfig> ReadAspConfig(const std::string& file);
// What root_file and issuing_file hold now.
Result<ClientCheck::Trust> ReadDeviceTrust(const AspConfig& config);

}  // namespace registry::sim
