#include "bridge/app/mqtt_options.h"

namespace registry::app {

std::vector<std::string> HeardAlone(const Config& config) {
  std::vector<std::string> parties;
  const bool alone = config.mqtt.session_per_party && !config.ledger.shared;
  for (const auto& [party, role] : config.parties) {
    if (alone) parties.push_back(party.text());
  }
  return parties;
}

std::string ClientIdOf(const Config& config, const std::string& node) {
  return config.mqtt.client_id + "@" + node;
}

mqtt::SessionOptions MqttOptions(const Config& whole, LogLine log) {
  const MqttConfig& config = whole.mqtt;
  mqtt::SessionOptions options;
  options.host = config.host;
  options.port = config.port;
  options.client_id = config.client_id;
  if (whole.ledger.shared) {
    options.client_id = ClientIdOf(whole, NodeName(whole.ledger));
    options.share = kShareGroup;
  }
  options.parties = HeardAlone(whole);
  options.ca_file = config.ca_file;
  options.certificate_file = config.certificate_file;
  options.key_file = config.key_file;
  options.session_expiry = std::chrono::seconds(config.session_expiry_seconds);
  options.keep_alive = std::chrono::seconds(config.keep_alive_seconds);
  options.receive_maximum = config.receive_maximum;
  options.in_flight_max = config.in_flight;
  // The session says its own name first; the log has a member for that.
  options.log = [log = std::move(log)](int level, const std::string& line) {
    log(level, line.starts_with("mqtt: ") ? line.substr(6) : line);
  };
  return options;
}

}  // namespace registry::app
