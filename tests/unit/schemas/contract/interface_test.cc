// schemas/asyncapi.json, the C++ topics and broker-config/acl.conf describe one interface: the same (role,
// direction, topic) from the first two, and every topic behind exactly the access rule it needs, no rule to
// spare.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <tuple>

#include "schemas/wire/batch.h"
#include "schemas/wire/codec.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/field_tables.h"
#include "schemas/wire/topics.h"
#include "tests/unit/schemas/contract/judge.h"

namespace registry::contract {
namespace {

using nlohmann::json;
using wire::MessageName;

// Seen from the party: it writes commands and reads the rest.
using Entry =
    std::tuple<std::string, std::string, std::string>;  // role, "write" | "read", topic with {party}
using Entries = std::set<Entry>;

json AsyncApi() { return LoadJson(SchemaFolder() / "asyncapi.json"); }

std::string Generic(std::string topic) {
  const std::size_t at = topic.find("/somebody");
  return topic.replace(at, 9, "/{party}");
}

void Add(Entries* entries, const MessageName& name, const char* direction, const std::string& topic) {
  for (wire::Role role : name.roles) entries->emplace(RoleName(role), direction, Generic(topic));
}

Entries FromCode() {
  const PartyId somebody = *PartyId::Parse("somebody");
  Entries entries;
  for (const MessageName& name : wire::Catalogue()) {
    if (name.kind == MessageName::Kind::kCommand)
      Add(&entries, name, "write", wire::CommandTopicOf(somebody, name.name));
    if (name.kind == MessageName::Kind::kReply)
      Add(&entries, name, "read", wire::AcceptedTopic(somebody, name.name));
    if (name.kind == MessageName::Kind::kReply)
      Add(&entries, name, "read", wire::RejectedTopic(somebody, name.name));
    if (name.kind == MessageName::Kind::kAction)
      Add(&entries, name, "read", wire::DoTopic(somebody, name.name));
    if (name.kind == MessageName::Kind::kNotification)
      Add(&entries, name, "read", wire::EventTopic(somebody, name.name));
  }
  // What everybody may hear of a topic that names no command.
  for (const char* role : {"mno", "asp", "operator"}) {
    entries.emplace(role, "read", Generic(wire::RejectedTopic(somebody, "")));
    entries.emplace(role, "write", Generic(wire::CommandTopicOf(somebody, wire::kBatchCommand)));
    entries.emplace(role, "read", Generic(wire::BatchTopic(somebody)));
    entries.emplace(role, "read", Generic(wire::RejectedTopic(somebody, wire::kBatchCommand)));
  }
  return entries;
}

json Reference(const std::string& to) { return {{"$ref", to}}; }

const json& Resolve(const json& document, const json& reference) {
  return document.at(json::json_pointer(reference.at("$ref").get<std::string>().substr(1)));
}

// A reply's channel stands for two topics.
std::vector<std::string> Outcomes(const json& document, const std::string& address) {
  constexpr std::string_view kPlace = "{outcome}";
  const std::size_t at = address.find(kPlace);
  if (at == std::string::npos) return {address};
  std::vector<std::string> topics;
  for (const std::string outcome : document.at("/components/parameters/outcome/enum"_json_pointer)) {
    topics.push_back(std::string(address).replace(at, kPlace.size(), outcome));
  }
  return topics;
}

Entries FromAsyncApi() {
  const json document = AsyncApi();
  Entries entries;
  for (const auto& [name, operation] : document.at("operations").items()) {
    const std::string address = Resolve(document, operation.at("channel")).at("address");
    const char* direction = operation.at("action") == "receive" ? "write" : "read";
    for (const std::string& topic : Outcomes(document, address)) {
      for (const std::string role : operation.at("x-roles")) entries.emplace(role, direction, topic);
    }
  }
  return entries;
}

struct Rule {
  std::string user;       // "%u": every party
  std::string direction;  // "read" | "write"
  std::string filter;
  auto operator<=>(const Rule&) const = default;
};

std::set<Rule> FromAcl() {
  std::istringstream lines(LoadText(std::filesystem::path(REGISTRY_SOURCE_DIR) / "broker-config/acl.conf"));
  std::set<Rule> rules;
  std::string user;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string kind, direction, filter;
    words >> kind >> direction >> filter;
    if (kind == "user") {
      user = direction;
    } else {
      EXPECT_TRUE(kind == "pattern" || (kind == "topic" && !user.empty())) << line;
      EXPECT_TRUE(direction == "read" || direction == "write") << line;
      rules.insert({kind == "pattern" ? "%u" : user, direction, filter});
    }
  }
  return rules;
}

// MQTT5 §4.7.1.2, for filters that end in "/#".
bool Covers(const Rule& rule, const std::string& topic) {
  const std::string prefix = rule.filter.substr(0, rule.filter.size() - 1);
  return rule.filter.ends_with("/#") && topic.starts_with(prefix);
}

TEST(Interface, AsyncApiSaysWhatTheCodeDoes) { EXPECT_EQ(FromAsyncApi(), FromCode()); }

TEST(Interface, EveryChannelHasAnOperation) {
  const json document = AsyncApi();
  std::set<std::string> used;
  for (const auto& [name, operation] : document.at("operations").items()) {
    used.insert(operation.at("channel").at("$ref").get<std::string>());
  }
  EXPECT_EQ(used.size(), document.at("channels").size());
}

// Of many messages: an array of envelopes, whose types say what they are.
bool IsBatch(const json& document, const std::string& message) {
  const json& payload =
      Resolve(document, document.at("components").at("messages").at(message).at("payload").at("schema"));
  if (payload.value("type", "") != "array") return false;
  EXPECT_EQ(payload.at("items"), Reference("messages/envelope.schema.json"));
  EXPECT_EQ(payload.at("minItems"), 1);
  EXPECT_EQ(payload.at("maxItems"), wire::kBatchItemsMax);
  return true;
}

// The members that say what a message is: of the split document's payload.
const json& Narrowed(const json& document, const std::string& message) {
  const json& payload =
      Resolve(document, document.at("components").at("messages").at(message).at("payload").at("schema"));
  EXPECT_EQ(payload.at("allOf").at(0), Reference("messages/envelope.schema.json"));
  EXPECT_EQ(payload.at("allOf").at(1).at("type"), "object");
  return payload.at("allOf").at(1).at("properties");
}

// One name for a channel and its operation, and for a message and the type that is said: whoever reads one finds the
// others. A channel carries the message of its name; a reply's carries both outcomes.
TEST(Interface, ChannelsOperationsAndMessagesAreNamedAlike) {
  const json document = AsyncApi();
  const json& messages = document.at("components").at("messages");
  std::set<std::string> carried;
  for (const auto& [key, channel] : document.at("channels").items()) {
    SCOPED_TRACE(key);
    std::set<std::string> expected{key};
    const std::string command = key.substr(0, key.rfind('.'));
    if (key.ends_with(".reply")) expected = {command + ".accepted", command + ".rejected"};
    std::set<std::string> names;
    for (const auto& [name, reference] : channel.at("messages").items()) {
      names.insert(name);
      EXPECT_EQ(reference, Reference("#/components/messages/" + name));
      EXPECT_EQ(messages.at(name).at("name"), "registry.v1." + name);
      if (IsBatch(document, name)) continue;
      EXPECT_EQ(Narrowed(document, name).at("type"), json({{"const", "registry.v1." + name}}));
    }
    EXPECT_EQ(names, expected);
    carried.insert(names.begin(), names.end());
    const json& operation = document.at("operations").at(key);
    EXPECT_EQ(operation.at("channel"), Reference("#/channels/" + key));
    EXPECT_EQ(operation.at("messages").size(), names.size());
    for (const std::string& name : names) {
      EXPECT_THAT(operation.at("messages"),
                  testing::Contains(Reference("#/channels/" + key + "/messages/" + name)));
    }
  }
  EXPECT_EQ(messages.size(), carried.size());
  EXPECT_EQ(document.at("operations").size(), document.at("channels").size());
}

TEST(Interface, ACommandIsAnsweredByEitherOutcome) {
  const json document = AsyncApi();
  std::size_t commands = 0;
  for (const auto& [key, operation] : document.at("operations").items()) {
    SCOPED_TRACE(key);
    const bool command = operation.at("action") == "receive" && key != wire::kBatchCommand;
    EXPECT_EQ(operation.contains("reply"), command);
    if (!command) continue;
    ++commands;
    const std::string channel = "#/channels/" + key + ".reply";
    const json& reply = operation.at("reply");
    EXPECT_EQ(reply.at("address").at("location"), "$message.header#/responseTopic");
    EXPECT_EQ(reply.at("channel"), Reference(channel));
    EXPECT_EQ(reply.at("messages"), json::array({Reference(channel + "/messages/" + key + ".accepted"),
                                                 Reference(channel + "/messages/" + key + ".rejected")}));
    const json& answer = document.at("operations").at(key + ".reply");
    EXPECT_EQ(answer.at("action"), "send");
    EXPECT_EQ(answer.at("x-roles"), operation.at("x-roles"));
  }
  EXPECT_GT(commands, 10u);
}

// A command has no cause: it is known by its id.
TEST(Interface, CorrelationPointsAtAMemberTheMessageHas) {
  const json document = AsyncApi();
  for (const auto& [name, operation] : document.at("operations").items()) {
    const bool command = operation.at("action") == "receive";
    for (const json& in_channel : operation.at("messages")) {
      const json& message = Resolve(document, Resolve(document, in_channel));
      if (message.at("contentType") == wire::kBatchContentType) continue;  // each envelope in it has its own
      const json& location = Resolve(document, message.at("correlationId")).at("location");
      EXPECT_EQ(location, command ? "$message.payload#/id" : "$message.payload#/cause") << name;
      EXPECT_TRUE(Resolve(document, message.at("headers")).at("properties").contains("correlationData"))
          << name;
    }
  }
}

TEST(Interface, EveryMessageNamesItsTypeAndAnExistingSchema) {
  const json document = AsyncApi();
  std::set<std::string> types;
  for (const auto& [name, message] : document.at("components").at("messages").items()) {
    if (IsBatch(document, name)) continue;
    const json& properties = Narrowed(document, name);
    types.insert(properties.at("type").at("const").get<std::string>());
    EXPECT_TRUE(std::filesystem::exists(SchemaFolder() / properties.at("data").at("$ref").get<std::string>()))
        << name;
  }
  std::set<std::string> expected{wire::RejectedType(""), wire::RejectedType(wire::kBatchCommand)};
  for (const MessageName& name : wire::Catalogue()) {
    if (name.kind == MessageName::Kind::kCommand) expected.insert(wire::CommandType(name.name));
    if (name.kind == MessageName::Kind::kReply) expected.insert(wire::AcceptedType(name.name));
    if (name.kind == MessageName::Kind::kReply) expected.insert(wire::RejectedType(name.name));
    if (name.kind == MessageName::Kind::kAction) expected.insert(wire::DoType(name.name));
    if (name.kind == MessageName::Kind::kNotification) expected.insert(wire::EventType(name.name));
  }
  EXPECT_EQ(types, expected);
}

// A message's data is judged by the schema the catalogue gives it.
TEST(Interface, DataSchemasAreTheCatalogues) {
  const json document = AsyncApi();
  const auto data_of = [&document](const std::string& key) {
    return Narrowed(document, key).at("data").at("$ref");
  };
  for (const MessageName& name : wire::Catalogue()) {
    const std::string file = "messages/" + std::string(name.schema) + ".schema.json";
    const std::string key(name.name);
    if (name.kind == MessageName::Kind::kCommand) {
      EXPECT_EQ(data_of(key), file);
    }
    if (name.kind == MessageName::Kind::kReply) {
      EXPECT_EQ(data_of(key + ".accepted"), file);
    }
    if (name.kind == MessageName::Kind::kReply) {
      EXPECT_EQ(data_of(key + ".rejected"), "messages/error.schema.json");
    }
    if (name.kind == MessageName::Kind::kAction) {
      EXPECT_EQ(data_of("do." + key), file);
    }
    if (name.kind == MessageName::Kind::kNotification) {
      EXPECT_EQ(data_of("event." + key), file);
    }
  }
}

TEST(Interface, EveryTopicIsBehindOneRuleAndNoRuleIsToSpare) {
  const std::set<Rule> rules = FromAcl();
  std::set<Rule> used;
  for (const auto& [role, direction, address] : FromCode()) {
    std::string topic = address;
    topic.replace(topic.find("{party}"), 7, "%u");
    int party_rules = 0;
    for (const Rule& rule : rules) {
      // The registry stands at the other end: it reads what a party writes.
      const bool mirrored = rule.user == "registryd" && rule.direction != direction;
      const bool own = rule.user == "%u" && rule.direction == direction;
      if (!(mirrored || own) || !Covers(rule, topic)) continue;
      used.insert(rule);
      if (own) ++party_rules;
    }
    EXPECT_EQ(party_rules, 1) << role << " " << direction << " " << address;
  }
  EXPECT_EQ(used, rules);
  EXPECT_EQ(rules.size(), 4u);
  EXPECT_TRUE(rules.count({"registryd", "read", std::string(wire::kFromAll)}));
}

// Each party rule must hold the user's name as a whole level: "registry/v1/to/%u#" would open a neighbour's
// space.
TEST(Interface, PartyRulesStayInsideOneParty) {
  for (const Rule& rule : FromAcl()) {
    if (rule.user != "%u") continue;
    EXPECT_NE(rule.filter.find("/%u/#"), std::string::npos) << rule.filter;
    EXPECT_EQ(rule.filter.find('+'), std::string::npos) << rule.filter;
  }
}

}  // namespace
}  // namespace registry::contract
