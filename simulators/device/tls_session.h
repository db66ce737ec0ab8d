// simulators/device/tls_session.h: one session of a device with its ASP: TLS (tls_client.h), then one line each way.
// Application: device "hello <name>", ASP "welcome <name>" or "refused <reason>". An ASP with a broker for its devices
// says "welcome <name> mqtt <port>": the broker is at the endpoint's name, under that port.
// Threads: any. Deadline: one for the whole session.
// Errors: those of tls_client.h; what the ASP refuses is 2201 refused (message "refused <reason>").
#pragma once

#include <optional>

#include "simulators/device/tls_connection.h"

namespace registry::sim {

struct Welcome {
  std::optional<std::uint16_t> mqtt_port;
};

Result<Welcome> TalkToAsp(const AspTarget& target, const ClientCredentials& credentials,
                          const std::string& name, std::chrono::milliseconds deadline,
                          TlsVersion version = TlsVersion::k13);

}  // namespace registry::sim
