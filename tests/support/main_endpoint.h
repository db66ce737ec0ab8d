// tests/support/main_endpoint.h: the endpoint `main` of a lab's asp-a, as endpoint.publish takes it: a host in its own zone,
// known by its TLSA record. A value; any thread.
#pragma once

#include <nlohmann/json.hpp>

namespace registry::test {

inline nlohmann::json MainEndpoint() {
  return {{"name", "main"},
          {"fqdn", "mqtt.asp-a.test"},
          {"url", "tls://mqtt.asp-a.test:8883"},
          {"port", 8883},
          {"protocol", "tls"},
          {"trust", {{"kind", "tlsa"}, {"tlsaOwner", "_8883._tcp.mqtt.asp-a.test"}}}};
}

}  // namespace registry::test
