#include "bridge/ctl/operator_session.h"

#include <openssl/rand.h>

#include <filesystem>

#include "schemas/base/check.h"
#include "schemas/ids/ids.h"

namespace registry::ctl {

std::string FreshId() {
  DeviceId::Octets octets{};
  REG_CHECK(RAND_bytes(octets.data(), static_cast<int>(octets.size())) == 1);
  return DeviceId::FromRandom(octets).text();
}

mqtt::SessionOptions SessionOf(const app::Config& config, const AskOptions& options) {
  const auto folder = std::filesystem::path(options.config).parent_path() / "interface" / "parties";
  mqtt::SessionOptions session;
  session.host = config.mqtt.host;
  session.port = config.mqtt.port;
  session.ca_file = config.mqtt.ca_file;
  session.certificate_file = (folder / (options.party + ".pem")).string();
  session.key_file = (folder / (options.party + ".key")).string();
  session.session_expiry = std::chrono::seconds(0);
  session.keep_alive = std::chrono::seconds(config.mqtt.keep_alive_seconds);
  session.receive_maximum = 16;
  session.in_flight_max = 16;
  session.log = [](int, const std::string&) {};
  return session;
}

}  // namespace registry::ctl
