#include "tests/integration/parties/scripted_registry.h"

#include "schemas/wire/codec.h"

namespace registry::test {

using nlohmann::json;

ScriptedRegistry::ScriptedRegistry(Broker& broker) : mqtt_(broker.ForParty("registryd")) {
  REG_CHECK(mqtt_.Subscribe(std::string(wire::kFromAll)));
}

std::optional<ScriptedRegistry::Heard> ScriptedRegistry::Next(std::chrono::milliseconds deadline) {
  const auto message = mqtt_.Next(deadline);
  if (!message) return std::nullopt;
  const auto topic = wire::ParseCommandTopic(message->topic);
  auto envelope = wire::DecodeEnvelope(message->payload);
  REG_CHECK(topic.has_value() && envelope.ok());  // a party of ours never says less than a whole command
  return Heard{topic->command, topic->party, std::move(*envelope), message->payload};
}

std::optional<ScriptedRegistry::Heard> ScriptedRegistry::NextOf(const std::string& command) {
  for (auto heard = Next(); heard; heard = Next()) {
    if (heard->command == command) return heard;
  }
  return std::nullopt;
}

void ScriptedRegistry::Accept(const Heard& command, const json& data) {
  wire::Envelope reply;
  reply.type = wire::AcceptedType(command.command);
  reply.cause = command.envelope.id;
  reply.data = data;
  Say(wire::AcceptedTopic(command.party, command.command), std::move(reply));
}

void ScriptedRegistry::Reject(const Heard& command, const Error& error) {
  wire::Envelope reply;
  reply.type = wire::RejectedType(command.command);
  reply.cause = command.envelope.id;
  reply.data = wire::EncodeError(error);
  Say(wire::RejectedTopic(command.party, command.command), std::move(reply));
}

void ScriptedRegistry::Act(const std::string& mno, const std::string& action, const json& data) {
  wire::Envelope said;
  said.type = wire::DoType(action);
  said.data = data;
  Say(wire::DoTopic(PartyId::Parse(mno).value(), action), std::move(said));
}

void ScriptedRegistry::Notify(const std::string& party, const std::string& type, std::uint64_t seq,
                              const json& data) {
  wire::Envelope said;
  said.type = wire::EventType(type);
  said.seq = seq;
  said.data = data;
  Say(wire::EventTopic(PartyId::Parse(party).value(), type), std::move(said));
}

void ScriptedRegistry::Say(const std::string& topic, wire::Envelope envelope) {
  envelope.id = EventId::Parse("said-" + std::to_string(++said_)).value();
  envelope.source = "registry";
  mqtt_.Publish(topic, wire::EncodeEnvelope(envelope));
}

}  // namespace registry::test
