#include "schemas/document/asyncapi.h"

#include <string_view>
#include <vector>

#include "schemas/document/bundle.h"
#include "schemas/wire/batch.h"
#include "schemas/wire/codec.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/messages.h"
#include "schemas/wire/topics.h"

namespace registry::document {
namespace {

using wire::MessageName;
using Kind = MessageName::Kind;

// What one message is, wherever it is said.
struct Said {
  std::string key;      // "csr.submit.accepted"; the name of its message
  std::string type;     // CloudEvents type
  std::string stem;     // of the schema of its data
  std::string summary;  // one sentence
  bool command = false;
};

Json Reference(const std::string& to) { return {{"$ref", to}}; }

std::string Upper(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

class Writer {
 public:
  Writer(const Sources& sources, Form form) : sources_(sources), form_(form) {}
  Json Document();

 private:
  void AddCommand(const MessageName& name);
  void AddReply(const MessageName& name);
  void AddRefusal();
  void AddBatches();
  void AddBatch(const MessageName& name, const char* action, const std::string& topic);
  void AddSaid(const MessageName& name, const Said& said, const std::string& topic);
  Json& AddChannel(const std::string& key, const std::string& topic, const std::vector<Said>& messages);
  void AddOperation(const std::string& key, const char* action, const MessageName& name,
                    const std::vector<Said>& messages);
  void AddMessage(const Said& said);
  Json Payload(const Said& said) const;
  Json PayloadOf(const Json& schema) const;
  Json Example(const Said& said) const;
  Json Components() const;
  std::string Summary(std::string_view stem) const;

  const Sources& sources_;
  const Form form_;
  Json channels_ = Json::object(), operations_ = Json::object(), messages_ = Json::object(),
       schemas_ = Json::object();
};

// The sample party's name is a place-holder's.
std::string Generic(std::string topic) {
  constexpr std::string_view kSample = "/sample";
  return topic.replace(topic.find(kSample), kSample.size(), "/{party}");
}

const PartyId& Sample() {
  static const PartyId party = *PartyId::Parse("sample");
  return party;
}

std::string Writer::Summary(std::string_view stem) const {
  return sources_.schemas.at(std::string(stem)).at("description").get<std::string>();
}

Json& Writer::AddChannel(const std::string& key, const std::string& topic,
                         const std::vector<Said>& messages) {
  Json& channel = channels_[key];
  channel["address"] = Generic(topic);
  channel["parameters"] = {{"party", Reference("#/components/parameters/party")}};
  for (const Said& said : messages) {
    channel["messages"][said.key] = Reference("#/components/messages/" + said.key);
    AddMessage(said);
  }
  return channel;
}

void Writer::AddOperation(const std::string& key, const char* action, const MessageName& name,
                          const std::vector<Said>& messages) {
  Json& operation = operations_[key];
  operation["action"] = action;
  operation["channel"] = Reference("#/channels/" + key);
  for (const Said& said : messages) {
    operation["messages"].push_back(Reference("#/channels/" + key + "/messages/" + said.key));
  }
  for (const wire::Role role : name.roles) operation["x-roles"].push_back(wire::RoleName(role));
  operation["bindings"] = {{"mqtt", {{"qos", 1}, {"retain", false}}}};
}

void Writer::AddCommand(const MessageName& name) {
  const std::string key(name.name);
  const std::vector<Said> messages{
      {key, wire::CommandType(key), std::string(name.schema), Summary(name.schema), true}};
  AddChannel(key, wire::CommandTopicOf(Sample(), key), messages);
  AddOperation(key, "receive", name, messages);
  const std::string reply = key + ".reply";
  operations_[key]["reply"] = {
      {"address",
       {{"location", "$message.header#/responseTopic"},
        {"description",
         "The Response Topic where one is given (it must lie below registry/v1/to/{party}/), else the "
         "channel below."}}},
      {"channel", Reference("#/channels/" + reply)},
      {"messages", Json::array({Reference("#/channels/" + reply + "/messages/" + key + ".accepted"),
                                Reference("#/channels/" + reply + "/messages/" + key + ".rejected")})}};
}

// One channel for both outcomes: AsyncAPI gives a request one reply channel (3.0.0 "Operation Reply Object").
void Writer::AddReply(const MessageName& name) {
  const std::string command(name.name);
  const std::vector<Said> messages{{command + ".accepted", wire::AcceptedType(command),
                                    std::string(name.schema), "Reply to " + command + ".", false},
                                   {command + ".rejected", wire::RejectedType(command), "error",
                                    "Why " + command + " was rejected; see ERRORS.md.", false}};
  std::string topic = wire::AcceptedTopic(Sample(), command);
  topic.replace(topic.rfind('/'), std::string::npos, "/{outcome}");
  Json& channel = AddChannel(command + ".reply", topic, messages);
  channel["parameters"]["outcome"] = Reference("#/components/parameters/outcome");
  AddOperation(command + ".reply", "send", name, messages);
}

// What every party may hear of a message whose topic names no command, so that no command's reply channel is its own.
void Writer::AddRefusal() {
  const MessageName name{
      Kind::kReply, "rejected", "error", {wire::Role::kMno, wire::Role::kAsp, wire::Role::kOperator}};
  AddSaid(name,
          {"rejected", wire::RejectedType(""), "error",
           "Why a message was rejected whose topic names no command; see ERRORS.md.", false},
          wire::RejectedTopic(Sample(), ""));
}

// Many of the other messages in one, in both directions; each is answered by itself (README.md, "Batches").
void Writer::AddBatches() {
  const std::vector<wire::Role> everybody{wire::Role::kMno, wire::Role::kAsp, wire::Role::kOperator};
  schemas_["BatchMessage"] = {
      {"title", "BatchMessage"},
      {"description", "Envelopes, each of a message of its own: its type says which."},
      {"type", "array"},
      {"minItems", 1},
      {"maxItems", wire::kBatchItemsMax}};
  if (form_ == Form::kSplit) {
    schemas_["BatchMessage"]["items"] = Reference("messages/envelope.schema.json");
  } else {
    schemas_["BatchItem"] = Component("envelope", sources_.schemas.at("envelope"));
    schemas_["BatchItem"]["title"] = "BatchItem";
    schemas_["BatchMessage"]["items"] = Reference("#/components/schemas/BatchItem");
  }
  AddBatch({Kind::kCommand, wire::kBatchCommand, "envelope", everybody}, "receive",
           wire::CommandTopicOf(Sample(), wire::kBatchCommand));
  AddBatch({Kind::kReply, "batch.said", "envelope", everybody}, "send", wire::BatchTopic(Sample()));
  AddSaid({Kind::kReply, "batch.rejected", "error", everybody},
          {"batch.rejected", wire::RejectedType(wire::kBatchCommand), "error",
           "Why a batch was rejected as a whole; see ERRORS.md.", false},
          wire::RejectedTopic(Sample(), wire::kBatchCommand));
}

Said SaidAs(std::string_view name, bool command) {
  const std::string key(name);
  return {key, command ? wire::CommandType(key) : wire::EventType(key), key, "", command};
}

void Writer::AddBatch(const MessageName& name, const char* action, const std::string& topic) {
  const std::string key(name.name);
  const bool command = name.kind == Kind::kCommand;
  AddChannel(key, topic, {});
  channels_[key]["messages"][key] = Reference("#/components/messages/" + key);
  AddOperation(key, action, name, {{key, "", "", "", command}});
  Json& message = messages_[key];
  message["name"] = wire::CommandType(key);
  message["summary"] = command ? "Up to 1,000 commands and 1,048,576 octets in one message."
                               : "What has piled up for a party that takes batches.";
  message["contentType"] = wire::kBatchContentType;
  message["headers"] =
      Reference(std::string("#/components/schemas/") + (command ? "CommandHeaders" : "RegistryHeaders"));
  const Json payload = Reference("#/components/schemas/BatchMessage");
  message["payload"] = PayloadOf(payload);
  const Said item =
      command ? SaidAs(wire::EsimRegister::kName, true) : SaidAs(wire::DeviceDeleted::kName, false);
  message["examples"] =
      Json::array({{{"name", key}, {"payload", Json::array({Example(item).at("payload")})}}});
}

void Writer::AddSaid(const MessageName& name, const Said& said, const std::string& topic) {
  AddChannel(said.key, topic, {said});
  AddOperation(said.key, "send", name, {said});
}

Json Writer::Payload(const Said& said) const {
  const Json type = {{"const", said.type}};
  if (form_ == Form::kSplit) {
    return {
        {"title", said.type},
        {"allOf",
         Json::array({Reference("messages/envelope.schema.json"),
                      {{"type", "object"},
                       {"properties",
                        {{"type", type}, {"data", Reference("messages/" + said.stem + ".schema.json")}}}}})}};
  }
  Json payload = Component("envelope", sources_.schemas.at("envelope"));
  payload["title"] = ClassName(said.key) + "Message";
  payload["description"] = said.summary;
  payload["properties"]["type"] = type;
  payload["properties"]["data"] = Reference("#/components/schemas/" + ClassName(said.stem));
  return payload;
}

Json Writer::Example(const Said& said) const {
  Json payload = {{"specversion", "1.0"}};
  payload["id"] = said.command ? "c-000001" : "0d9f6c1e-22aa-4c0f-8e55-6b1f0a7c9d13";
  payload["source"] = said.command ? "party-a" : "registry";
  payload["type"] = said.type;
  payload["time"] = "2026-03-01T12:00:00.000000Z";
  payload["datacontenttype"] = "application/json";
  if (said.key.ends_with(".accepted") || said.key.ends_with("rejected")) payload["cause"] = "c-000001";
  payload["data"] = sources_.Example(said.stem);
  return {{"name", said.key}, {"payload", std::move(payload)}};
}

// The schemas keep to words that AsyncAPI's own schema format has too. modelina forgets which members are required when
// the format is named.
Json Writer::PayloadOf(const Json& schema) const {
  if (form_ == Form::kBundled) return schema;
  return {{"schemaFormat", "application/schema+json;version=draft-2020-12"}, {"schema", schema}};
}

void Writer::AddMessage(const Said& said) {
  const std::string schema = ClassName(said.key) + "Message";
  schemas_[schema] = Payload(said);
  Json& message = messages_[said.key];
  message["name"] = said.type;
  message["summary"] = said.summary;
  message["contentType"] = wire::kContentType;
  message["headers"] =
      Reference(std::string("#/components/schemas/") + (said.command ? "CommandHeaders" : "RegistryHeaders"));
  const Json payload = Reference("#/components/schemas/" + schema);
  message["payload"] = PayloadOf(payload);
  // A command names itself by its id, and what answers it names that id as its cause.
  message["correlationId"] =
      Reference(std::string("#/components/correlationIds/") + (said.command ? "command" : "cause"));
  message["examples"] = Json::array({Example(said)});
}

// MQTT 5 §3.3.2.3: properties of a PUBLISH, by the names of AsyncAPI's MQTT binding.
Json Headers(const char* title, const char* description) {
  return {
      {"title", title},
      {"description", description},
      {"type", "object"},
      {"properties",
       {{"responseTopic", {{"description", "MQTT 5 §3.3.2.3.5."}, {"type", "string"}, {"maxLength", 512}}},
        {"correlationData",
         {{"description", "MQTT 5 §3.3.2.3.6, at most 1024 octets."}, {"type", "string"}}}}}};
}

Json Writer::Components() const {
  Json components;
  components["parameters"] = {
      {"party",
       {{"description", "The party's id; the broker holds it equal to the CN of the client's certificate."}}},
      {"outcome",
       {{"description", "accepted or rejected."}, {"enum", Json::array({"accepted", "rejected"})}}}};
  components["correlationIds"] = {
      {"command",
       {{"description", "A command is known by its id, together with its source; its replies name it."},
        {"location", "$message.payload#/id"}}},
      {"cause",
       {{"description",
         "The id of the command behind it. A rejection has none when no id could be read, and a notification "
         "or action "
         "none when no command is behind it. MQTT 5 Correlation Data is echoed in replies besides."},
        {"location", "$message.payload#/cause"}}}};
  components["securitySchemes"] = {
      {"certificate", {{"type", "X509"}, {"description", "Issued by the registry's interface CA."}}}};
  components["messages"] = messages_;
  components["schemas"] = schemas_;
  components["schemas"]["CommandHeaders"] =
      Headers("CommandHeaders",
              "What a command may carry in MQTT 5; nothing of it is needed, and MQTT 3.1.1 has none of it.");
  components["schemas"]["RegistryHeaders"] =
      Headers("RegistryHeaders", "A reply carries its command's Correlation Data; nothing else is set.");
  if (form_ == Form::kSplit) return components;
  for (const auto& [stem, schema] : sources_.schemas) {
    if (stem != "envelope") components["schemas"][ClassName(stem)] = Component(stem, schema);
  }
  return components;
}

Json Writer::Document() {
  for (const MessageName& name : wire::Catalogue()) {
    const std::string key(name.name), stem(name.schema);
    if (name.kind == Kind::kCommand) AddCommand(name);
    if (name.kind == Kind::kReply) AddReply(name);
    if (name.kind == Kind::kAction) {
      AddSaid(name, {"do." + key, wire::DoType(key), stem, Upper(Summary(stem)), false},
              wire::DoTopic(Sample(), key));
    }
    if (name.kind == Kind::kNotification) {
      AddSaid(name, {"event." + key, wire::EventType(key), stem, Upper(Summary(stem)), false},
              wire::EventTopic(Sample(), key));
    }
  }
  AddRefusal();
  AddBatches();
  Json document;
  document["asyncapi"] = "3.0.0";
  document["info"] = {
      {"title", "IoT registry"},
      {"version", "1.0.0"},
      {"description",
       "Provisioning events between MNOs, ASPs, the operator and the registry. Operations are the "
       "registry's: it receives "
       "commands, and sends replies, commands to MNOs and notifications. x-roles: which parties stand at the "
       "other end."},
      {"license", {{"name", "Apache-2.0"}, {"url", "https://www.apache.org/licenses/LICENSE-2.0"}}}};
  document["defaultContentType"] = wire::kContentType;
  document["servers"]["broker"] = {
      {"host", "{host}:8883"},
      {"protocol", "secure-mqtt"},
      {"protocolVersion", "5.0"},
      {"description", "TLS 1.3 with a client certificate whose CN is the party. MQTT 3.1.1 works too."},
      {"variables", {{"host", {{"description", "The operator's broker."}}}}},
      {"security", Json::array({Reference("#/components/securitySchemes/certificate")})}};
  document["channels"] = std::move(channels_);
  document["operations"] = std::move(operations_);
  document["components"] = Components();
  return document;
}

}  // namespace

Json AsyncApi(const Sources& sources, Form form) { return Writer(sources, form).Document(); }

}  // namespace registry::document
