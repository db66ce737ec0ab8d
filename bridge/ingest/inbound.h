// bridge/ingest/inbound.h: one message as it came from the broker, before anything is believed about it.
#pragma once

#include <string>

namespace registry::ingest {

struct InboundMessage {
  std::string topic;
  std::string payload;
  std::string response_topic;    // MQTT5 §3.3.2.3.5, empty when absent
  std::string correlation_data;  // MQTT5 §3.3.2.3.6, empty when absent
};

}  // namespace registry::ingest
