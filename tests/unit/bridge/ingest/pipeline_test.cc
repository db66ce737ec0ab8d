// From commands to committed decisions, through the real pipeline: activation, ownership, jobs, feeds.
#include <gtest/gtest.h>

#include "schemas/wire/envelope.h"
#include "tests/support/commands.h"
#include "tests/support/device_key.h"
#include "tests/support/test_registry.h"

namespace registry::test {
namespace {

using nlohmann::json;

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
  const auto wipe = registry.Heard("registry/v1/to/mno-a/do/applet.wipe");
  ASSERT_EQ(wipe.size(), 1u);
  const json wiped = {{"job", wipe[0].data().at("job")}, {"device", id}, {"outcome", "success"}};
  EXPECT_TRUE(registry.Ask("mno-a", "do.result", wiped).accepted());
  EXPECT_TRUE(registry.Ask("operator", "device.reactivate", {{"device", id}}).accepted());
  EXPECT_EQ(registry.Device(id).state, domain::State::kAttached);
  EXPECT_TRUE(registry.ledger().ZoneAfter(std::nullopt, 10)->empty()) << "no state=deactivated any more";
  const auto asked = registry.Heard("registry/v1/to/mno-a/do/key.generate");
  ASSERT_EQ(asked.size(), 1u);
  registry.ServeZone();
  EXPECT_EQ(registry.Device(id).visible_revision, registry.Device(id).zone_revision);
  const json csr = {{"device", id}, {"csr", NewCsrPem()}, {"job", asked[0].data().at("job")}};
  EXPECT_TRUE(registry.Ask("mno-a", "csr.submit", csr).accepted());
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
  const json esim = {{"eid", EidOf(1)}, {"iccid", IccidOf(1)}};
  EXPECT_EQ(registry.Ask("mno-b", "esim.register", esim).symbol(), "esim_wipe_pending");
  const auto wipe = registry.Heard("registry/v1/to/mno-a/do/applet.wipe");
  ASSERT_EQ(wipe.size(), 1u);
  EXPECT_TRUE(registry
                  .Ask("mno-a", "do.result",
                       {{"job", wipe[0].data().at("job")}, {"device", id}, {"outcome", "success"}})
                  .accepted());
  EXPECT_TRUE(registry.Ask("mno-b", "esim.register", esim).accepted());
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
  registry.clock().Advance(std::chrono::seconds(1));
  EXPECT_EQ(registry.Ask("asp-a", "feed.replay", {{"from_seq", 1}}).data().at("replayed"), 1);
  EXPECT_EQ(registry.Ask("asp-a", "feed.ack", {{"seq", 99}}).symbol(), "seq_unknown");
}

TEST(Feed, AReplayTooSoonIsPutOffAndMayBeAskedAgainWithTheSameId) {
  TestRegistry registry;
  registry.Activate();
  const json all = {{"from_seq", 1}};
  EXPECT_TRUE(registry.Ask("asp-a", "feed.replay", all).accepted());
  registry.Heard("registry/v1/to/asp-a/event/");
  const Said refused = registry.Ask("asp-a", "feed.replay", all, "again");
  EXPECT_EQ(refused.code(), 2502);
  EXPECT_EQ(refused.symbol(), "replay_too_soon");
  EXPECT_TRUE(registry.Heard("registry/v1/to/asp-a/event/").empty());
  EXPECT_TRUE(registry.Ask("mno-a", "feed.replay", all).accepted()) << "every party has its own turn";
  registry.clock().Advance(std::chrono::seconds(refused.data().at("retryAfterSeconds").get<int>()));
  EXPECT_TRUE(registry.Ask("asp-a", "feed.replay", all, "again").accepted());
  EXPECT_EQ(registry.Heard("registry/v1/to/asp-a/event/").size(), 2u);
}

TEST(Feed, NothingIsReplayedWhileMuchWaitsToBeSent) {
  TestRegistry registry;
  domain::Changeset many;
  many.messages.resize(10'001, {"registry/v1/to/mno-b/x", "{\"type\":\"\"}", ""});
  ASSERT_TRUE(registry.ledger().Commit(std::move(many)));
  const Said refused = registry.Ask("asp-a", "feed.replay", {{"from_seq", 1}}, "r");
  EXPECT_EQ(refused.symbol(), "replay_too_soon");
  EXPECT_TRUE(refused.data().contains("retryAfterSeconds"));
  const auto last = registry.ledger().OutboxLast(ledger::Sink::kMqtt);
  ASSERT_TRUE(registry.ledger().Advance(ledger::Sink::kMqtt, {*last, ""}, true));
  EXPECT_TRUE(registry.Ask("asp-a", "feed.replay", {{"from_seq", 1}}, "r").accepted());
}

TEST(Trace, WhatACommandCausesCarriesItsTraceparent) {
  TestRegistry registry;
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  registry.PublishEndpoint();
  const auto device = registry.Register();
  registry.Ask("asp-a", "device.claim",
               {{"device", device.device}, {"authorisationCode", device.code}, {"endpoint", "main"}});
  const auto ask = [&](const std::string& command, const json& data) {
    json event = Command("mno-a", command, command, data);
    event["traceparent"] = trace;
    EXPECT_EQ(registry.AskRaw(Raw("mno-a", command, event.dump())).envelope.value("traceparent", ""), trace);
  };
  ask("device.attach", {{"device", device.device}});
  const auto asked = registry.Heard("registry/v1/to/mno-a/do/key.generate");
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].envelope.value("traceparent", ""), trace);
  ask("csr.submit", {{"device", device.device}, {"csr", NewCsrPem()}});
  const auto told = registry.Heard("registry/v1/to/asp-a/event/device.certified");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].envelope.value("traceparent", ""), trace);
}

// A timer has no command to decide; the job remembers whose it is.
TEST(Trace, WhatIsSentAgainCarriesTheFirstSendingsTraceparent) {
  TestRegistry registry;
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto device = registry.Register();
  json event = Command("mno-a", "device.attach", "attach", {{"device", device.device}});
  event["traceparent"] = trace;
  ASSERT_TRUE(registry.AskRaw(Raw("mno-a", "device.attach", event.dump())).accepted());
  for (int retry = 1; retry <= 6; ++retry) registry.RunDueJobs(std::chrono::hours(2));
  const auto asked = registry.Heard("registry/v1/to/mno-a/do/key.generate");
  ASSERT_EQ(asked.size(), 6u);
  for (const Said& action : asked) EXPECT_EQ(action.envelope.value("traceparent", ""), trace);
  const auto failed = registry.Heard("registry/v1/to/mno-a/event/device.failed");
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].envelope.value("traceparent", ""), trace);
}

TEST(Jobs, TheDnsAlarmSaysWhenItWillLookAgain) {
  TestRegistry registry;
  const auto device = registry.Register();
  registry.Ask("mno-a", "device.attach", {{"device", device.device}});
  registry.Ask("mno-a", "csr.submit", {{"device", device.device}, {"csr", NewCsrPem()}});
  registry.RunDueJobs(std::chrono::hours(2));
  const auto told = registry.Heard("registry/v1/to/mno-a/event/device.failed");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].data().at("error").at("symbol"), "dns_lagging");
  const auto jobs = registry.ledger().JobsOf(*DeviceId::Parse(device.device));
  ASSERT_TRUE(jobs);
  ASSERT_EQ(jobs->size(), 1u);
  const std::chrono::seconds said(told[0].data().at("error").at("retryAfterSeconds").get<int>());
  EXPECT_EQ((*jobs)[0].due - registry.clock().Now(), std::chrono::microseconds(said));
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
