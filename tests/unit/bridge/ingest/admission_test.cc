// What is let in, what is a duplicate or a conflict, what is refused, and how a sender is told.
#include <gtest/gtest.h>

#include "schemas/wire/envelope.h"
#include "tests/support/commands.h"
#include "tests/support/device_key.h"
#include "tests/support/test_registry.h"

namespace registry::test {
namespace {

using nlohmann::json;

TEST(Admission, ADuplicateGetsTheStoredReplyByteForByteAndIsNotExecutedAgain) {
  TestRegistry registry;
  const json data = {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}};
  const Said first = registry.Ask("mno-a", "esim.register", data, "same");
  const Said second = registry.Ask("mno-a", "esim.register", data, "same");
  ASSERT_TRUE(first.accepted()) << first.payload;
  EXPECT_EQ(first.payload, second.payload);
  EXPECT_EQ(first.topic, second.topic);
  EXPECT_TRUE(registry.Counted("duplicate", 1));
  EXPECT_EQ(registry.ledger().DevicesAfter(std::nullopt, 10)->size(), 1u);
}

TEST(Admission, AReusedIdWithOtherContentIsAConflictThatNamesTheField) {
  TestRegistry registry;
  registry.Ask("mno-a", "esim.register", {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}}, "same");
  const Said said =
      registry.Ask("mno-a", "esim.register", {{"eid", EidOf(2)}, {"iccid", IccidOf(1)}}, "same");
  EXPECT_FALSE(said.accepted());
  EXPECT_EQ(said.code(), 2302);
  EXPECT_EQ(said.symbol(), "event_conflict");
  EXPECT_EQ(said.data().at("field"), "/eid");
  EXPECT_TRUE(registry.Counted("conflict", 1));
}

TEST(Admission, ADifferentSubjectIsAnotherContent) {
  TestRegistry registry;
  json command = Command("mno-a", "esim.register", "same", {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}});
  command["subject"] = "the first";
  EXPECT_TRUE(registry.AskRaw(Raw("mno-a", "esim.register", command.dump())).accepted());
  command["subject"] = "the second";
  const Said other = registry.AskRaw(Raw("mno-a", "esim.register", command.dump()));
  EXPECT_EQ(other.symbol(), "event_conflict");
  EXPECT_NE(other.data().at("message").get<std::string>().find("subject"), std::string::npos);
  command.erase("subject");
  EXPECT_EQ(registry.AskRaw(Raw("mno-a", "esim.register", command.dump())).symbol(), "event_conflict");
}

// 200,000 octets of it would make a reply that is over the limit of messages itself.
TEST(Admission, AConflictDoesNotSayBackNamesThatTheSenderMadeUp) {
  TestRegistry registry;
  const auto ask = [&](char c) {
    const json data = {{std::string(200'000, c), 1}};
    return registry.Ask("mno-a", "esim.register", data, "same");
  };
  EXPECT_EQ(ask('a').symbol(), "unknown_field");
  const Said said = ask('b');
  EXPECT_EQ(said.symbol(), "event_conflict");
  EXPECT_LT(said.payload.size(), 1000u);
}

TEST(Admission, AStoredNameIsSaidBackAsAPointerOfBoundedLength) {
  TestRegistry registry;
  domain::Changeset changes;
  changes.mark = domain::EventMark{*PartyId::Parse("mno-a"),
                                   *EventId::Parse("same"),
                                   registry.clock().Now(),
                                   {{"data/a~b/" + std::string(200'000, 'c'), Bytes(32, 1)}},
                                   {}};
  ASSERT_TRUE(registry.ledger().Commit(std::move(changes)));
  const Said said =
      registry.Ask("mno-a", "esim.register", {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}}, "same");
  EXPECT_EQ(said.symbol(), "event_conflict");
  EXPECT_LT(said.payload.size(), 1000u);
}

// The first one's Response Topic belongs to somebody who is not listening any more.
TEST(Admission, ADuplicateWithoutResponseTopicIsAnsweredOnTheCommandsOwnTopic) {
  TestRegistry registry;
  const auto twice = [&](const std::string& command, const json& data) {
    auto message = Raw("mno-a", command, Command("mno-a", command, command, data).dump());
    message.response_topic = "registry/v1/to/mno-a/gone";
    const Said first = registry.AskRaw(message);
    EXPECT_EQ(first.topic, message.response_topic);
    message.response_topic.clear();
    const Said second = registry.AskRaw(message);
    EXPECT_EQ(second.payload, first.payload);
    return second.topic;
  };
  EXPECT_EQ(twice("esim.register", {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}}),
            "registry/v1/to/mno-a/esim.register/accepted");
  EXPECT_EQ(twice("device.attach", {{"device", "0b2f4a52-9a6e-4a5b-8f5e-3f1d2c4b5a69"}}),
            "registry/v1/to/mno-a/device.attach/rejected");
}

TEST(Admission, ARejectionIsRememberedLikeAnAcceptance) {
  TestRegistry registry;
  const json data = {{"device", "0b2f4a52-9a6e-4a5b-8f5e-3f1d2c4b5a69"}};
  const Said first = registry.Ask("mno-a", "device.attach", data, "same");
  const Said second = registry.Ask("mno-a", "device.attach", data, "same");
  EXPECT_EQ(first.symbol(), "device_unknown");
  EXPECT_EQ(first.payload, second.payload);
}

TEST(Admission, TheSameIdOfTwoPartiesIsTwoCommands) {
  TestRegistry registry;
  EXPECT_TRUE(
      registry.Ask("mno-a", "esim.register", {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}}, "1").accepted());
  EXPECT_TRUE(
      registry.Ask("mno-b", "esim.register", {{"eid", EidOf(2)}, {"iccid", IccidOf(2)}}, "1").accepted());
}

TEST(Admission, DuplicatesSurviveARestart) {
  TestRegistry registry;
  const json data = {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}};
  const Said first = registry.Ask("mno-a", "esim.register", data, "same");
  registry.Restart();
  EXPECT_EQ(registry.Ask("mno-a", "esim.register", data, "same").payload, first.payload);
}

struct BadMessage {
  std::string name, payload, symbol;
  int code;
};

TEST(Refusal, EveryKindOfBadMessageHasItsOwnAnswer) {
  TestRegistry registry;
  json good = Command("mno-a", "esim.register", "x", {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}});
  auto with = [&, next = 0](const std::string& pointer, const json& value) mutable {
    json changed = good;
    changed["id"] = std::to_string(next++);
    changed[json::json_pointer(pointer)] = value;
    return changed.dump();
  };
  json without_eid = good;
  without_eid["data"].erase("eid");
  json without_type = good;
  without_type.erase("type");
  const std::vector<BadMessage> cases = {
      {"not JSON", "{\"id\":", "bad_json", 2001},
      {"more behind a NUL", good.dump() + '\0' + good.dump(), "bad_json", 2001},
      {"not UTF-8", "{\"id\":\"\xff\xfe\"}", "bad_utf8", 2001},
      {"too large", std::string(wire::kMessageMax + 1, ' '), "message_too_large", 2004},
      {"too deep", std::string(1000, '[') + std::string(1000, ']'), "too_deep", 2001},
      {"no type", without_type.dump(), "missing_attribute", 2003},
      {"another version of CloudEvents", with("/specversion", "2.0"), "unsupported_version", 2100},
      {"another's source", with("/source", "mno-b"), "source_mismatch", 2201},
      {"another type", with("/type", "registry.v1.csr.submit"), "type_mismatch", 2005},
      {"unknown member", with("/data/imsi", "001010123456789"), "unknown_field", 2001},
      {"missing member", without_eid.dump(), "missing_field", 2003},
      {"wrong type", with("/data/eid", 7), "wrong_type", 2005},
      {"wrong check digits", with("/data/eid", "89049032123451234512345678901236"), "bad_eid", 2005},
  };
  for (const BadMessage& bad : cases) {
    const Said said = registry.AskRaw(Raw("mno-a", "esim.register", bad.payload));
    EXPECT_FALSE(said.accepted()) << bad.name;
    EXPECT_EQ(said.code(), bad.code) << bad.name << ": " << said.payload;
    EXPECT_EQ(said.symbol(), bad.symbol) << bad.name << ": " << said.payload;
    // Whatever id can be read at all is the reply's cause: what else should a sender tell its replies by?
    const json sent = bad.symbol == "bad_json" ? json() : json::parse(bad.payload, nullptr, false);
    const json cause = sent.is_object() ? sent.at("id") : json();
    EXPECT_EQ(said.envelope.value("cause", json()), cause) << bad.name << ": " << said.payload;
  }
  EXPECT_TRUE(registry.ledger().DevicesAfter(std::nullopt, 10)->empty());
}

TEST(Refusal, AnUnknownCommandIsAnswered) {
  TestRegistry registry;
  const Said said = registry.Ask("mno-a", "esim.frobnicate", json::object());
  EXPECT_EQ(said.code(), 2000);
  EXPECT_EQ(said.topic, "registry/v1/to/mno-a/esim.frobnicate/rejected");
}

TEST(Refusal, RolesDecideOnCommands) {
  TestRegistry registry;
  EXPECT_EQ(registry.Ask("asp-a", "esim.register", {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}}).symbol(),
            "role_not_allowed");
  EXPECT_EQ(registry.Ask("mno-a", "device.deactivate", {{"device", "0b2f4a52-9a6e-4a5b-8f5e-3f1d2c4b5a69"}})
                .symbol(),
            "role_not_allowed");
  EXPECT_EQ(registry.Ask("stranger", "feed.ack", {{"seq", 0}}).symbol(), "party_unknown");
}

TEST(Refusal, AForeignResponseTopicIsNeitherUsedNorRemembered) {
  TestRegistry registry;
  auto message =
      Raw("mno-a", "esim.register",
          Command("mno-a", "esim.register", "x", {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}}).dump());
  message.response_topic = "registry/v1/to/mno-b/esim.register/accepted";
  message.correlation_data = "abc";
  const Said refused = registry.AskRaw(message);
  EXPECT_EQ(refused.symbol(), "response_topic_foreign");
  EXPECT_EQ(refused.topic, "registry/v1/to/mno-a/esim.register/rejected");
  EXPECT_EQ(refused.correlation_data, "abc");
  EXPECT_EQ(refused.envelope.at("cause"), "x");
  message.response_topic = "registry/v1/to/mno-a/replies/7";
  const Said accepted = registry.AskRaw(message);
  EXPECT_EQ(accepted.topic, "registry/v1/to/mno-a/replies/7");
  EXPECT_EQ(accepted.envelope.at("type"), "registry.v1.esim.register.accepted");
}

TEST(Refusal, WhatCannotBeAnsweredIsKeptForAnOperator) {
  TestRegistry registry;
  ingest::InboundMessage message;
  message.topic = "registry/v1/from//";
  message.payload = "hello";
  registry.Send(message);
  ASSERT_TRUE(registry.Counted("dead_letter", 1));
  message.topic = "registry/v1/from/mno-a/x/" + std::string(60'000, 'y');
  message.payload = std::string(100'000, 'z');
  registry.Send(message);
  ASSERT_TRUE(registry.Counted("dead_letter", 2));
  const auto letters = registry.ledger().DeadLettersAfter(0, 10);
  ASSERT_TRUE(letters);
  ASSERT_EQ(letters->size(), 2u);
  EXPECT_EQ((*letters)[0].second.topic, "registry/v1/from//");
  EXPECT_EQ((*letters)[0].second.payload, "hello");
  EXPECT_EQ((*letters)[0].second.reason, "topic_malformed");
  EXPECT_EQ((*letters)[1].second.topic, message.topic.substr(0, 1024));
  EXPECT_EQ((*letters)[1].second.payload, message.payload.substr(0, 4096));
}

}  // namespace
}  // namespace registry::test
