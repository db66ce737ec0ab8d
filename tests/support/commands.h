// tests/support/commands.h: a party's command as it stands on the wire, for tests that write it themselves.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "bridge/ingest/inbound.h"

namespace registry::test {

// What the party publishes, whatever the octets are.
inline ingest::InboundMessage Raw(const std::string& party, const std::string& command,
                                  const std::string& payload) {
  ingest::InboundMessage message;
  message.topic = "registry/v1/from/" + party + "/" + command;
  message.payload = payload;
  return message;
}

inline nlohmann::json Command(const std::string& party, const std::string& command, const std::string& id,
                              const nlohmann::json& data) {
  return {{"specversion", "1.0"},
          {"id", id},
          {"source", party},
          {"type", "registry.v1." + command},
          {"data", data}};
}

}  // namespace registry::test
