// What is let in, what is a duplicate or a conflict, what is refused, and how a sender is told.
#include "bridge/ingest/admission.h"

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
  EXPECT_EQ(said.data().at("field"), "/data/eid");
  EXPECT_TRUE(registry.Counted("conflict", 1));
}

// schemas/ERRORS.md: every event_conflict has a field, which points into the envelope.
TEST(Admission, EveryConflictNamesWhereItIs) {
  TestRegistry registry;
  const json first = Command("mno-a", "feed.ack", "same", {{"seq", 0}});
  EXPECT_TRUE(registry.AskRaw(Raw("mno-a", "feed.ack", first.dump())).accepted());
  const auto field_of = [&](const std::string& command, const json& event) {
    const Said said = registry.AskRaw(Raw("mno-a", command, event.dump()));
    EXPECT_EQ(said.symbol(), "event_conflict") << said.payload;
    return said.data().value("field", "");
  };
  const auto with = [&](const char* name, const json& value) {
    json event = first;
    event[name] = value;
    return event;
  };
  EXPECT_EQ(field_of("feed.ack", with("time", "2026-03-01T12:00:00Z")), "/time");
  EXPECT_EQ(field_of("feed.ack", with("data", {{"seq", 1}})), "/data/seq");
  EXPECT_EQ(field_of("feed.ack", with("data", json::object())), "/data");
  EXPECT_EQ(field_of("feed.replay", Command("mno-a", "feed.replay", "same", {{"fromSeq", 1}})), "/type");
  EXPECT_TRUE(
      registry
          .AskRaw(Raw("mno-a", "feed.ack",
                      with("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").dump()))
          .accepted())
      << "a repeat may belong to another trace";
  EXPECT_TRUE(registry.AskRaw(Raw("mno-a", "feed.ack", with("time", nullptr).dump())).accepted())
      << "null is absent";
}

// Nothing reads it or another extension: whatever they are, the repeat asks for the same.
TEST(Admission, WhatNothingReadsIsNoContent) {
  TestRegistry registry;
  json command = Command("mno-a", "esim.register", "same", {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}});
  command["subject"] = "the first";
  const auto ask = [&] { return registry.AskRaw(Raw("mno-a", "esim.register", command.dump())); };
  const Said first = ask();
  EXPECT_TRUE(first.accepted()) << first.payload;
  command["subject"] = "the second";
  EXPECT_EQ(ask().payload, first.payload);
  command.erase("subject");
  EXPECT_EQ(ask().payload, first.payload);
  command["colour"] = "red";
  command["datacontenttype"] = "Application/JSON";
  EXPECT_EQ(ask().payload, first.payload);
  EXPECT_TRUE(registry.Counted("duplicate", 3));
}

// A ledger from when it counted.
TEST(Admission, ASubjectInAnOldMarkMakesNoConflict) {
  TestRegistry registry;
  const json data = {{"seq", 0}};
  const json command = Command("mno-a", "feed.ack", "same", data);
  const Said first = registry.AskRaw(Raw("mno-a", "feed.ack", command.dump()));
  domain::EventMark mark = **registry.ledger().FindEvent(*PartyId::Parse("mno-a"), *EventId::Parse("same"));
  mark.id = *EventId::Parse("older");
  mark.digests.insert(mark.digests.begin() + 2, {"subject", Bytes(32, 1)});
  domain::Changeset changes;
  changes.mark = mark;
  ASSERT_TRUE(registry.ledger().Commit(std::move(changes)));
  EXPECT_EQ(registry.Ask("mno-a", "feed.ack", data, "older").payload, first.payload);
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
      {"a byte order mark", "\xef\xbb\xbf" + with("/data/eid", EidOf(3)), "byte_order_mark", 2001},
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
    const std::string text = bad.payload.substr(bad.symbol == "byte_order_mark" ? 3 : 0);
    const json sent = bad.symbol == "bad_json" ? json() : json::parse(text, nullptr, false);
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

// schemas/ERRORS.md: never with silence. The broker lets a party write to any of these.
TEST(Refusal, ATopicThatNamesNoCommandIsAnsweredToItsParty) {
  TestRegistry registry;
  int number = 0;
  for (const std::string& behind :
       {std::string(), std::string("/"), std::string("/feed.ack/"), std::string("/Feed.Ack"),
        std::string("/feed/ack"), std::string("/feed.ack/more"), std::string("//"),
        "/" + std::string(65, 'x'), std::string("/ü"), "/x/" + std::string(60'000, '/')}) {
    const std::string id = std::to_string(number++);
    ingest::InboundMessage message;
    message.topic = "registry/v1/from/mno-a" + behind;
    message.payload = Command("mno-a", "feed.ack", id, {{"seq", 0}}).dump();
    message.correlation_data = "c";
    const Said said = registry.AskRaw(message);
    EXPECT_EQ(said.topic, "registry/v1/to/mno-a/rejected");
    EXPECT_EQ(said.envelope.at("type"), "registry.v1.rejected");
    EXPECT_EQ(said.symbol(), "topic_malformed");
    EXPECT_EQ(said.code(), 2001);
    EXPECT_EQ(said.envelope.at("cause"), id);
    EXPECT_EQ(said.correlation_data, "c");
    message.response_topic = "registry/v1/to/mno-a/mine";
    EXPECT_EQ(registry.AskRaw(message).topic, message.response_topic);
    EXPECT_TRUE(registry.Ask("mno-a", "feed.ack", {{"seq", 0}}, id).accepted()) << "the id was not used up";
  }
  EXPECT_TRUE(registry.ledger().DeadLettersAfter(0, 10)->empty());
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

// Who is a party, and of which role, the operator may change: the sender repeats the same id until it works.
TEST(Refusal, WhatTheConfigurationForbidsIsNotRemembered) {
  TestRegistry registry;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(
        registry
            .AskRaw(Raw("stranger", "feed.ack", Command("stranger", "feed.ack", "x", {{"seq", 0}}).dump()))
            .symbol(),
        "party_unknown");
    EXPECT_EQ(registry
                  .AskRaw(Raw("asp-a", "device.attach",
                              Command("asp-a", "device.attach", "y",
                                      {{"device", "0b2f4a52-9a6e-4a5b-8f5e-3f1d2c4b5a69"}})
                                  .dump()))
                  .symbol(),
              "role_not_allowed");
  }
  for (const auto& [party, id] : {std::pair{"stranger", "x"}, {"asp-a", "y"}}) {
    const auto mark = registry.ledger().FindEvent(PartyId::Parse(party).value(), EventId::Parse(id).value());
    ASSERT_TRUE(mark.ok());
    EXPECT_FALSE(mark->has_value()) << party;
  }
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

TEST(Refusal, AnOwnResponseTopicIsRefusedForItsTrueReason) {
  TestRegistry registry;
  auto message = Raw("mno-a", "feed.ack", Command("mno-a", "feed.ack", "x", {{"seq", 0}}).dump());
  std::string deep = "registry/v1/to/mno-a";
  for (int level = 0; level < 14; ++level) deep += "/x";
  for (const auto& [topic, symbol, code] :
       {std::tuple{"registry/v1/to/mno-a/" + std::string(500, 'x'), "response_topic_too_long", 2004},
        {deep, "response_topic_too_deep", 2004},
        {"registry/v1/to/mno-a//x", "response_topic_malformed", 2005},
        {"registry/v1/to/mno-a/#", "response_topic_malformed", 2005}}) {
    message.response_topic = topic;
    const Said refused = registry.AskRaw(message);
    EXPECT_EQ(refused.symbol(), symbol);
    EXPECT_EQ(refused.code(), code);
    EXPECT_EQ(refused.topic, "registry/v1/to/mno-a/feed.ack/rejected");
    EXPECT_EQ(refused.envelope.at("cause"), "x");
  }
}

// CloudEvents MQTT binding §3: what other modes there are.
TEST(Refusal, AnotherContentModeIsNamed) {
  TestRegistry registry;
  auto binary = Raw("mno-a", "feed.ack", "{\"seq\":0}");
  binary.mode = wire::ContentMode::kBinary;
  binary.id_property = "x";
  const Said said = registry.AskRaw(binary);
  EXPECT_EQ(said.symbol(), "binary_mode");
  EXPECT_EQ(said.code(), 2101);
  EXPECT_EQ(said.envelope.at("cause"), "x") << "the id is where the mode puts it";
  binary.id_property.clear();
  EXPECT_FALSE(registry.AskRaw(binary).envelope.contains("cause"));
  auto other = Raw("mno-a", "feed.ack", Command("mno-a", "feed.ack", "y", {{"seq", 0}}).dump());
  other.mode = wire::ContentMode::kOtherFormat;
  EXPECT_EQ(registry.AskRaw(other).symbol(), "event_format");
  other.mode = wire::ContentMode::kStructured;
  EXPECT_TRUE(registry.AskRaw(other).accepted()) << "the id was not used up";
}

TEST(Refusal, MoreValuesThanAnyCommandHas) {
  TestRegistry registry;
  const json data = {{"list", std::vector<int>(wire::kValuesMax, 0)}};
  const Said said = registry.AskRaw(Raw("mno-a", "feed.ack", Command("mno-a", "feed.ack", "x", data).dump()));
  EXPECT_EQ(said.symbol(), "too_many_values");
  EXPECT_EQ(said.code(), 2004);
  EXPECT_EQ(said.envelope.at("cause"), "x");
}

// It would be stored with every reply.
TEST(Refusal, CorrelationDataThatIsTooLargeIsNeitherEchoedNorRemembered) {
  TestRegistry registry;
  auto message = Raw("mno-a", "feed.ack", Command("mno-a", "feed.ack", "x", {{"seq", 0}}).dump());
  message.correlation_data = std::string(ingest::kCorrelationMax + 1, 'c');
  const Said refused = registry.AskRaw(message);
  EXPECT_EQ(refused.symbol(), "correlation_too_large");
  EXPECT_EQ(refused.code(), 2004);
  EXPECT_EQ(refused.correlation_data, "");
  EXPECT_EQ(refused.envelope.at("cause"), "x");
  message.correlation_data.pop_back();
  const Said accepted = registry.AskRaw(message);
  EXPECT_TRUE(accepted.accepted()) << "the id was not used up";
  EXPECT_EQ(accepted.correlation_data, message.correlation_data);
}

TEST(Refusal, APartyThatHasFilledItsHourIsToldWhenToComeBack) {
  TestRegistry::Setup setup;
  setup.kept_per_hour = 10'000;
  TestRegistry registry(setup);
  const auto ack = [&](const std::string& party, int i) {
    return registry.Ask(party, "feed.ack", {{"seq", 0}}, std::to_string(i));
  };
  int accepted = 0;
  Said last = ack("mno-a", 0);
  while (last.accepted() && accepted < 1000) last = ack("mno-a", ++accepted);
  EXPECT_GT(accepted, 5);
  EXPECT_LT(accepted, 50);
  EXPECT_EQ(last.symbol(), "ledger_share_used");
  EXPECT_EQ(last.code(), 2502);
  const int wait = last.data().at("retryAfterSeconds");
  EXPECT_GT(wait, 0);
  EXPECT_TRUE(ack("mno-b", 0).accepted()) << "everybody has an hour of his own";
  EXPECT_TRUE(ack("mno-a", 0).accepted()) << "what was answered once is answered again";
  EXPECT_EQ(ack("mno-a", accepted).symbol(), "ledger_share_used");
  registry.clock().Advance(std::chrono::seconds(wait));
  EXPECT_TRUE(ack("mno-a", accepted).accepted()) << "the id was not used up";
}

TEST(Refusal, WhatCannotBeAnsweredIsKeptForAnOperator) {
  TestRegistry registry;
  ingest::InboundMessage message;
  message.topic = "registry/v1/from//";
  message.payload = "hello";
  registry.Send(message);
  ASSERT_TRUE(registry.Counted("dead_letter", 1));
  message.topic = "registry/v1/from/Mno-A/x/" + std::string(60'000, 'y');
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
