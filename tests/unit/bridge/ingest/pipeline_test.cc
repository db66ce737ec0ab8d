// From octets to committed decisions, through the real pipeline: admission, roles, ownership, and what a sender is told.
#include <gtest/gtest.h>

#include "schemas/wire/envelope.h"
#include "tests/support/device_key.h"
#include "tests/support/test_registry.h"

namespace registry::test {
namespace {

using nlohmann::json;

ingest::InboundMessage Raw(const std::string& party, const std::string& command, const std::string& payload) {
  ingest::InboundMessage message;
  message.topic = "registry/v1/from/" + party + "/" + command;
  message.payload = payload;
  return message;
}

json Command(const std::string& party, const std::string& command, const std::string& id, const json& data) {
  return {{"specversion", "1.0"},
          {"id", id},
          {"source", party},
          {"type", "registry.v1." + command},
          {"data", data}};
}

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
  const std::vector<BadMessage> cases = {
      {"not JSON", "{\"id\":", "bad_json", 2001},
      {"not UTF-8", "{\"id\":\"\xff\xfe\"}", "bad_utf8", 2001},
      {"too large", std::string(wire::kMessageMax + 1, ' '), "message_too_large", 2004},
      {"too deep", std::string(1000, '[') + std::string(1000, ']'), "too_deep", 2001},
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
  const auto letters = registry.ledger().DeadLettersAfter(0, 10);
  ASSERT_TRUE(letters);
  ASSERT_EQ(letters->size(), 1u);
  EXPECT_EQ((*letters)[0].second.topic, "registry/v1/from//");
  EXPECT_EQ((*letters)[0].second.payload, "hello");
}

TEST(Flow, ADeviceBecomesActiveAndEverybodyWhoMustKnowIsTold) {
  TestRegistry registry;
  const std::string id = registry.Activate();
  const domain::Device device = registry.Device(id);
  EXPECT_EQ(device.state, domain::State::kActive);
  EXPECT_EQ(device.delivered_version, 1u);
  const auto to_asp = registry.Heard("registry/v1/to/asp-a/event/");
  ASSERT_EQ(to_asp.size(), 2u);
  EXPECT_EQ(to_asp[0].envelope.at("type"), "registry.v1.event.device.certified");
  EXPECT_EQ(to_asp[1].envelope.at("type"), "registry.v1.event.device.activated");
  EXPECT_EQ(to_asp[0].envelope.at("seq"), 1);
  EXPECT_EQ(to_asp[1].envelope.at("seq"), 2);
  EXPECT_EQ(registry.Heard("registry/v1/to/mno-a/event/device.activated").size(), 1u);
  std::vector<std::string> steps;
  for (const auto& step : device.trace) steps.push_back(step.step);
  EXPECT_EQ(steps, (std::vector<std::string>{"registered", "claimed", "attached", "key.generate", "certified",
                                             "published", "payload.push", "delivered", "active"}));
}

TEST(Flow, NothingIsActiveBeforeDnsShowsIt) {
  TestRegistry registry;
  const auto device = registry.Register();
  EXPECT_TRUE(registry.Ask("mno-a", "device.attach", {{"device", device.device}}).accepted());
  EXPECT_TRUE(
      registry.Ask("mno-a", "csr.submit", {{"device", device.device}, {"csr", NewCsrPem()}}).accepted());
  EXPECT_EQ(registry.Device(device.device).state, domain::State::kCertified);
  EXPECT_TRUE(registry.Heard("registry/v1/to/mno-a/do/payload.push").empty());
  registry.ServeZone();
  EXPECT_EQ(registry.Device(device.device).state, domain::State::kPublished);
}

TEST(Flow, AClaimAfterPublicationPushesThePayload) {
  TestRegistry registry;
  const auto device = registry.Register();
  registry.Ask("mno-a", "device.attach", {{"device", device.device}});
  registry.Ask("mno-a", "csr.submit", {{"device", device.device}, {"csr", NewCsrPem()}});
  registry.ServeZone();
  registry.PublishEndpoint();
  const Said claimed =
      registry.Ask("asp-a", "device.claim",
                   {{"device", device.device}, {"authorisationCode", device.code}, {"endpoint", "main"}});
  EXPECT_TRUE(claimed.accepted()) << claimed.payload;
  EXPECT_EQ(registry.Heard("registry/v1/to/mno-a/do/payload.push").size(), 1u);
  EXPECT_EQ(registry.Heard("registry/v1/to/asp-a/event/device.certified").size(), 1u);
}

TEST(Ownership, ACodeIsUsedOnceAndOnlyTheRightOneWorks) {
  TestRegistry registry;
  registry.PublishEndpoint("asp-a");
  registry.PublishEndpoint("asp-b");
  const auto device = registry.Register();
  const auto claim = [&](const std::string& asp, const std::string& code) {
    return registry.Ask(asp, "device.claim",
                        {{"device", device.device}, {"authorisationCode", code}, {"endpoint", "main"}});
  };
  EXPECT_EQ(claim("asp-a", std::string(32, '0')).symbol(), "authorisation_code_wrong");
  EXPECT_EQ(claim("asp-a", std::string(32, '0')).code(), 2202);
  EXPECT_TRUE(claim("asp-a", device.code).accepted());
  EXPECT_EQ(claim("asp-b", device.code).symbol(), "device_claimed");
}

TEST(Ownership, OnlyTheSponsorAndTheClaimerTouchADevice) {
  TestRegistry registry;
  const std::string id = registry.Activate("mno-a", "asp-a");
  EXPECT_EQ(registry.Ask("mno-b", "device.attach", {{"device", id}}).symbol(), "not_sponsor");
  EXPECT_EQ(registry.Ask("mno-b", "csr.submit", {{"device", id}, {"csr", NewCsrPem()}}).symbol(),
            "not_sponsor");
  for (const char* command : {"device.deactivate", "device.reactivate", "device.delete"}) {
    EXPECT_EQ(registry.Ask("asp-b", command, {{"device", id}}).symbol(), "not_claimer") << command;
  }
  EXPECT_EQ(registry.Device(id).state, domain::State::kActive);
}

TEST(Retire, DeactivationRevokesWithdrawsWipesAndTells) {
  TestRegistry registry;
  const std::string id = registry.Activate();
  const Bytes serial = registry.Device(id).certificate->serial;
  EXPECT_TRUE(registry.Ask("asp-a", "device.deactivate", {{"device", id}, {"reason", "lost"}}).accepted());
  const auto device = registry.Device(id);
  EXPECT_EQ(device.state, domain::State::kDeactivated);
  EXPECT_FALSE(device.certificate);
  const auto revoked = registry.ledger().Revocations();
  ASSERT_EQ(revoked->size(), 1u);
  EXPECT_EQ((*revoked)[0].serial, serial);
  const auto zone = registry.ledger().ZoneAfter(std::nullopt, 10);
  ASSERT_EQ(zone->size(), 1u);
  EXPECT_TRUE((*zone)[0].tlsa.empty());
  EXPECT_FALSE((*zone)[0].note.empty());
  EXPECT_EQ(registry.Heard("registry/v1/to/mno-a/do/applet.wipe").size(), 1u);
  EXPECT_EQ(registry.Heard("registry/v1/to/asp-a/event/device.deactivated").size(), 1u);
  EXPECT_EQ(registry.Heard("registry/v1/to/mno-a/event/device.deactivated").size(), 1u);
}

TEST(Retire, AReactivatedDeviceNeedsANewKey) {
  TestRegistry registry;
  const std::string id = registry.Activate();
  registry.Ask("operator", "device.deactivate", {{"device", id}});
  registry.Heard("registry/v1/to/mno-a/do/key.generate");
  EXPECT_TRUE(registry.Ask("operator", "device.reactivate", {{"device", id}}).accepted());
  EXPECT_EQ(registry.Device(id).state, domain::State::kAttached);
  EXPECT_EQ(registry.Heard("registry/v1/to/mno-a/do/key.generate").size(), 1u);
  EXPECT_TRUE(registry.Ask("mno-a", "csr.submit", {{"device", id}, {"csr", NewCsrPem()}}).accepted());
  registry.ServeZone();
  const auto pushed = registry.Heard("registry/v1/to/mno-a/do/payload.push");
  ASSERT_EQ(pushed.size(), 1u);
  EXPECT_EQ(pushed[0].data().at("version"), 2) << "a payload's version never goes back";
}

TEST(Retire, ADeletedDeviceIsATombstoneAndItsEsimIsFree) {
  TestRegistry registry;
  const std::string id = registry.Activate();
  EXPECT_TRUE(registry.Ask("asp-a", "device.delete", {{"device", id}}).accepted());
  EXPECT_EQ(registry.Device(id).state, domain::State::kDeleted);
  EXPECT_TRUE(registry.ledger().ZoneAfter(std::nullopt, 10)->empty());
  EXPECT_EQ(registry.Ask("asp-a", "device.reactivate", {{"device", id}}).symbol(), "device_unknown");
  EXPECT_TRUE(registry.Ask("mno-b", "esim.register", {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}}).accepted());
}

TEST(Retire, AnEsimIsRegisteredOnce) {
  TestRegistry registry;
  registry.Register();
  EXPECT_EQ(registry.Ask("mno-b", "esim.register", {{"eid", EidOf(1)}, {"iccid", IccidOf(9)}}).symbol(),
            "eid_registered");
  EXPECT_EQ(registry.Ask("mno-b", "esim.register", {{"eid", EidOf(9)}, {"iccid", IccidOf(1)}}).symbol(),
            "iccid_registered");
}

TEST(Jobs, ASilentMnoIsAskedAgainWithTheSameJobAndThenItFailsAloud) {
  TestRegistry registry;
  const auto device = registry.Register();
  registry.Ask("mno-a", "device.attach", {{"device", device.device}});
  const auto first = registry.Heard("registry/v1/to/mno-a/do/key.generate");
  ASSERT_EQ(first.size(), 1u);
  for (int attempt = 2; attempt <= 6; ++attempt) {
    registry.RunDueJobs(std::chrono::hours(2));
    const auto again = registry.Heard("registry/v1/to/mno-a/do/key.generate");
    ASSERT_EQ(again.size(), 1u) << attempt;
    EXPECT_EQ(again[0].data().at("job"), first[0].data().at("job"));
    EXPECT_EQ(again[0].data().at("attempt"), attempt);
  }
  registry.RunDueJobs(std::chrono::hours(2));
  const auto failed = registry.Heard("registry/v1/to/mno-a/event/device.failed");
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].data().at("error").at("step"), "key.generate");
  EXPECT_EQ(failed[0].data().at("error").at("symbol"), "mno_silent");
  EXPECT_TRUE(registry.Ask("mno-a", "device.attach", {{"device", device.device}}).accepted());
  EXPECT_EQ(registry.Heard("registry/v1/to/mno-a/do/key.generate").size(), 1u) << "attach asks anew";
}

TEST(Jobs, ARefusedPayloadIsReportedToBothParties) {
  TestRegistry registry;
  registry.PublishEndpoint();
  const auto device = registry.Register();
  registry.Ask("asp-a", "device.claim",
               {{"device", device.device}, {"authorisationCode", device.code}, {"endpoint", "main"}});
  registry.Ask("mno-a", "device.attach", {{"device", device.device}});
  registry.Ask("mno-a", "csr.submit", {{"device", device.device}, {"csr", NewCsrPem()}});
  registry.ServeZone();
  const auto pushed = registry.Heard("registry/v1/to/mno-a/do/payload.push");
  ASSERT_EQ(pushed.size(), 1u);
  const json result = {{"job", pushed[0].data().at("job")},
                       {"device", device.device},
                       {"outcome", "failed"},
                       {"stage", "payload"},
                       {"reason", "payload_replayed"}};
  EXPECT_TRUE(registry.Ask("mno-a", "do.result", result).accepted());
  const auto failed = registry.Heard("registry/v1/to/asp-a/event/device.failed");
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].data().at("error").at("symbol"), "payload_replayed");
  EXPECT_EQ(registry.Device(device.device).state, domain::State::kPublished);
  EXPECT_EQ(registry.Ask("mno-a", "do.result", result).symbol(), "job_unknown");
}

TEST(Feed, AReplaySaysTheSameBytesAndAnAcknowledgedPartIsForgotten) {
  TestRegistry registry;
  registry.Activate();
  const auto first = registry.Heard("registry/v1/to/asp-a/event/");
  ASSERT_EQ(first.size(), 2u);
  const Said replayed = registry.Ask("asp-a", "feed.replay", {{"from_seq", 1}});
  EXPECT_EQ(replayed.data().at("replayed"), 2);
  const auto again = registry.Heard("registry/v1/to/asp-a/event/");
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[0].payload, first[0].payload);
  EXPECT_EQ(again[1].payload, first[1].payload);
  EXPECT_TRUE(registry.Ask("asp-a", "feed.ack", {{"seq", 1}}).accepted());
  EXPECT_EQ(registry.Ask("asp-a", "feed.replay", {{"from_seq", 1}}).data().at("replayed"), 1);
  EXPECT_EQ(registry.Ask("asp-a", "feed.ack", {{"seq", 99}}).symbol(), "seq_unknown");
}

TEST(Pipeline, ManySendersAtOnceLoseNothing) {
  TestRegistry registry(16);
  constexpr std::uint64_t kDevices = 300;
  for (std::uint64_t i = 1; i <= kDevices; ++i) {
    registry.Send(Raw(i % 2 == 0 ? "mno-a" : "mno-b", "esim.register",
                      Command(i % 2 == 0 ? "mno-a" : "mno-b", "esim.register", std::to_string(i),
                              {{"eid", EidOf(i)}, {"iccid", IccidOf(i)}})
                          .dump()));
  }
  registry.Restart();  // stops only after what was taken in is committed
  EXPECT_EQ(registry.ledger().DevicesAfter(std::nullopt, 1000)->size(), kDevices);
  EXPECT_TRUE(registry.Counted("accepted", kDevices));
}

}  // namespace
}  // namespace registry::test
