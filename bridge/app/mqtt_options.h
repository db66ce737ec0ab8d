// bridge/app/mqtt_options.h: how the configuration has registryd connect to the broker. Pure.
#pragma once

#include "bridge/app/config.h"
#include "bridge/mqtt/session.h"

namespace registry::app {

inline constexpr const char* kShareGroup = "registry";  // of nodes that share what they hear

// The parties with a session of their own: none where several nodes share what they hear.
std::vector<std::string> HeardAlone(const Config& config);
// Of one of several nodes that share what they hear.
std::string ClientIdOf(const Config& config, const std::string& node);
mqtt::SessionOptions MqttOptions(const Config& config, LogLine log);

}  // namespace registry::app
