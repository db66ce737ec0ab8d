// bridge/ingest/inbound.h: one message as it came from the broker, before anything is believed about it.
#pragma once

#include <string>

#include "schemas/wire/content_mode.h"

namespace registry::ingest {

struct InboundMessage {
  std::string topic;
  std::string payload;
  std::string response_topic;    // MQTT5 §3.3.2.3.5, empty when absent
  std::string correlation_data;  // MQTT5 §3.3.2.3.6, empty when absent
  // CloudEvents MQTT binding §3: how the event is put into the message, and of the binary mode the attribute `id`, which
  // is a user property (MQTT5 §3.3.2.3.7); empty when absent or longer than an id may be.
  wire::ContentMode mode = wire::ContentMode::kStructured;
  std::string id_property{};
};

}  // namespace registry::ingest
