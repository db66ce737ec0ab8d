// tests/integration/parties/scripted_registry.h: a registry that does what a test says, on a real broker: so that
// parties are tested against answers a good registry never gives, and without one.
// Every wait has a deadline. One thread.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "schemas/wire/envelope.h"
#include "schemas/wire/topics.h"
#include "tests/integration/mqtt/broker.h"
#include "tests/support/raw_mqtt.h"

namespace registry::test {

class ScriptedRegistry {
 public:
  explicit ScriptedRegistry(Broker& broker);
  bool connected() const { return mqtt_.connected(); }

  struct Heard {
    std::string command;
    PartyId party;
    wire::Envelope envelope;
    std::string payload;
  };
  std::optional<Heard> Next(std::chrono::milliseconds deadline = std::chrono::seconds(20));
  // The next message that is this command; others are dropped.
  std::optional<Heard> NextOf(const std::string& command);
  void Accept(const Heard& command, const nlohmann::json& data);
  void Reject(const Heard& command, const Error& error);
  void Act(const std::string& mno, const std::string& action, const nlohmann::json& data);
  void Notify(const std::string& party, const std::string& type, std::uint64_t seq,
              const nlohmann::json& data);

 private:
  void Say(const std::string& topic, wire::Envelope envelope);
  RawMqtt mqtt_;
  int said_ = 0;
};

}  // namespace registry::test
