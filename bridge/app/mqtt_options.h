// bridge/app/mqtt_options.h: how the configuration has registryd connect to the broker. Pure.
#pragma once

#include "bridge/app/config.h"
#include "bridge/mqtt/session.h"

namespace registry::app {

// The parties with a session of their own.
std::vector<std::string> HeardAlone(const Config& config);
mqtt::SessionOptions MqttOptions(const Config& config, LogLine log);

}  // namespace registry::app
