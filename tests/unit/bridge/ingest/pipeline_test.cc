// From commands to committed decisions, through the real pipeline: activation, ownership, jobs, feeds.
#include <gtest/gtest.h>

#include "bridge/ingest/register_guard.h"
#include "schemas/wire/envelope.h"
#include "tests/support/commands.h"
#include "tests/support/device_key.h"
#include "tests/support/test_registry.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

using nlohmann::json;

TEST(Flow, ADeviceBecomesActiveAndEverybodyWhoMustKnowIsTold) {
  TestRegistry registry;
  const std::string id = registry.Activate();
  const domain::Device device = registry.Device(id);
  EXPECT_EQ(device.state, domain::State::kActive);
  EXPECT_EQ(domain::DeliveredVersion(device), 1u);
  const auto to_asp = registry.Heard("registry/v1/to/asp-a/event/");
  ASSERT_EQ(to_asp.size(), 2u);
  EXPECT_EQ(to_asp[0].envelope.at("type"), "registry.v1.event.device.certified");
  EXPECT_EQ(to_asp[1].envelope.at("type"), "registry.v1.event.device.activated");
  EXPECT_EQ(to_asp[0].envelope.at("seq"), "1");
  EXPECT_EQ(to_asp[1].envelope.at("seq"), "2");
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
  EXPECT_EQ(claim("asp-a", std::string(32, '0')).symbol(), "authorisation_invalid");
  EXPECT_EQ(claim("asp-a", std::string(32, '0')).code(), 2202);
  EXPECT_TRUE(claim("asp-a", device.code).accepted());
  EXPECT_EQ(claim("asp-b", device.code).symbol(), "authorisation_invalid");
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
  const Bytes serial = domain::LiveCertificate(registry.Device(id))->serial;
  EXPECT_TRUE(registry.Ask("asp-a", "device.deactivate", {{"device", id}, {"reason", "lost"}}).accepted());
  const auto device = registry.Device(id);
  EXPECT_EQ(device.state, domain::State::kDeactivated);
  EXPECT_FALSE(domain::Live(device));
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
  EXPECT_EQ(registry.Device(id).zone.visible, registry.Device(id).zone.wanted);
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
  EXPECT_EQ(registry.Ask("mno-a", "esim.register", esim).symbol(), "esim_wipe_pending");
  EXPECT_EQ(registry.Ask("mno-b", "esim.register", esim).symbol(), "esim_unavailable");
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
  EXPECT_EQ(registry.Ask("mno-a", "esim.register", {{"eid", EidOf(1)}, {"iccid", IccidOf(9)}}).symbol(),
            "eid_registered");
  EXPECT_EQ(registry.Ask("mno-a", "esim.register", {{"eid", EidOf(9)}, {"iccid", IccidOf(1)}}).symbol(),
            "iccid_registered");
}

// Whoever knows an EID must not learn what another MNO does with it.
TEST(Register, WhatAnotherMnoHasIsRefusedInOneWay) {
  TestRegistry registry;
  registry.Register("mno-a");                              // eSIM 1
  const std::string deleted = registry.Activate("mno-a");  // eSIM 2, waits for its wipe
  registry.Register("mno-b");                              // eSIM 3
  EXPECT_TRUE(registry.Ask("asp-a", "device.delete", {{"device", deleted}}).accepted());
  const auto answer = [&registry](std::uint64_t eid, std::uint64_t iccid) {
    return registry.Ask("mno-b", "esim.register", {{"eid", EidOf(eid)}, {"iccid", IccidOf(iccid)}}).data();
  };
  const json first = answer(1, 1);
  EXPECT_EQ(first.at("symbol"), "esim_unavailable");
  EXPECT_FALSE(first.contains("field"));
  for (const auto& [eid, iccid] :
       std::vector<std::pair<int, int>>{{1, 9}, {9, 1}, {2, 2}, {2, 9}, {9, 2}, {1, 2}})
    EXPECT_EQ(answer(eid, iccid), first) << eid << ' ' << iccid;
  EXPECT_EQ(answer(3, 1).at("symbol"), "eid_registered") << "what is its own it knows";
  EXPECT_EQ(answer(1, 3).at("symbol"), "iccid_registered");
}

TEST(Register, AStrangerCannotAskForOneEidAfterTheOther) {
  TestRegistry registry;
  registry.Register("mno-a");  // eSIM 1
  const auto ask = [&registry](const std::string& mno, std::uint64_t eid, const std::string& id = "") {
    return registry.Ask(mno, "esim.register", {{"eid", EidOf(eid)}, {"iccid", IccidOf(100 + eid)}}, id);
  };
  for (std::size_t i = 0; i < ingest::RegisterGuard::kRefusalsMax; ++i)
    EXPECT_EQ(ask("mno-b", 1).symbol(), "esim_unavailable") << i;
  const Said taken = ask("mno-b", 1, "taken"), available = ask("mno-b", 50, "available");
  EXPECT_EQ(taken.symbol(), "esim_refusals_too_many");
  EXPECT_EQ(taken.code(), 2502);
  EXPECT_EQ(taken.data(), available.data()) << "nothing tells them apart";
  EXPECT_TRUE(ask("mno-a", 60).accepted()) << "another party hears nothing of it";
  registry.clock().Advance(std::chrono::seconds(taken.data().at("retryAfterSeconds").get<int>()));
  EXPECT_TRUE(ask("mno-b", 50, "available").accepted()) << "nothing was decided, so the same id works";
  EXPECT_EQ(ask("mno-b", 1, "taken").symbol(), "esim_unavailable");
  registry.clock().Advance(-std::chrono::hours(24));
  EXPECT_TRUE(ask("mno-b", 51).accepted()) << "a clock set back locks nobody out";
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
  EXPECT_TRUE(registry.Ask("mno-a", "do.result", result).accepted()) << "said again under another id";
  EXPECT_TRUE(registry.Heard("registry/v1/to/asp-a/event/device.failed").empty()) << "and not told again";
}

TEST(Feed, AReplaySaysTheSameBytesAndAnAcknowledgedPartIsForgotten) {
  TestRegistry registry;
  registry.Activate();
  const auto first = registry.Heard("registry/v1/to/asp-a/event/");
  ASSERT_EQ(first.size(), 2u);
  const Said replayed = registry.Ask("asp-a", "feed.replay", {{"fromSeq", 1}});
  EXPECT_EQ(replayed.data().at("replayed"), 2);
  const auto again = registry.Heard("registry/v1/to/asp-a/event/");
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[0].payload, first[0].payload);
  EXPECT_EQ(again[1].payload, first[1].payload);
  EXPECT_TRUE(registry.Ask("asp-a", "feed.ack", {{"seq", 1}}).accepted());
  registry.clock().Advance(std::chrono::seconds(1));
  EXPECT_EQ(registry.Ask("asp-a", "feed.replay", {{"fromSeq", 1}}).data().at("replayed"), 1);
  EXPECT_EQ(registry.Ask("asp-a", "feed.ack", {{"seq", 99}}).symbol(), "seq_unknown");
}

// A party that has all there is cannot know it, and asks for the next one; whoever asks for more has heard what this
// registry never said.
TEST(Feed, AReplayBeyondTheFeedIsRefusedAsAnAcknowledgementIs) {
  TestRegistry registry;
  registry.Activate();
  const Said beyond = registry.Ask("asp-a", "feed.replay", {{"fromSeq", 4}});
  EXPECT_EQ(beyond.symbol(), "seq_unknown");
  EXPECT_EQ(beyond.code(), 2004);
  EXPECT_EQ(beyond.data().at("field"), "/fromSeq");
  EXPECT_EQ(registry.Ask("asp-a", "feed.ack", {{"seq", 3}}).data().at("field"), "/seq");
  const Said next = registry.Ask("asp-a", "feed.replay", {{"fromSeq", 3}});
  ASSERT_TRUE(next.accepted()) << "a refused one is no replay, so this one is not too soon: " << next.payload;
  EXPECT_EQ(next.data().at("replayed"), 0);
  EXPECT_EQ(next.data().at("lastSeq"), 2);
  EXPECT_EQ(registry.Ask("mno-b", "feed.replay", {{"fromSeq", 2}}).symbol(), "seq_unknown")
      << "an empty feed";
}

TEST(Feed, AReplayTooSoonIsPutOffAndMayBeAskedAgainWithTheSameId) {
  TestRegistry registry;
  registry.Activate();
  const json all = {{"fromSeq", 1}};
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
  const Said refused = registry.Ask("asp-a", "feed.replay", {{"fromSeq", 1}}, "r");
  EXPECT_EQ(refused.symbol(), "replay_too_soon");
  EXPECT_TRUE(refused.data().contains("retryAfterSeconds"));
  const auto last = registry.ledger().OutboxLast(ledger::Sink::kMqtt);
  ASSERT_TRUE(registry.ledger().Advance(ledger::Sink::kMqtt, {*last, ""}, true));
  EXPECT_TRUE(registry.Ask("asp-a", "feed.replay", {{"fromSeq", 1}}, "r").accepted());
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

// W3C Trace Context §3.2: what is of no form is nobody's trace, and no text of one party reaches another that way.
TEST(Trace, WhatHasNotTheFormOfATraceGoesNowhere) {
  TestRegistry registry;
  const std::string eid = EidOf(7);
  for (const std::string& trace : {std::string("<script>alert(1)</script>"), "00-\xe2\x80\xae-" + eid, eid}) {
    const auto device = registry.Register();
    json event = Command("mno-a", "device.attach", device.device, {{"device", device.device}});
    event["traceparent"] = trace;
    event["tracestate"] = "mno=" + eid;
    const Said said = registry.AskRaw(Raw("mno-a", "device.attach", event.dump()));
    EXPECT_TRUE(said.accepted()) << said.payload;
    EXPECT_FALSE(said.envelope.contains("traceparent")) << said.payload;
    EXPECT_FALSE(said.envelope.contains("tracestate")) << said.payload;
  }
  for (const Said& action : registry.Heard("registry/v1/to/mno-a/do/key.generate"))
    EXPECT_FALSE(action.envelope.contains("traceparent")) << action.payload;
}

TEST(Trace, TracestateComesBackToItsSenderAndGoesToNobodyElse) {
  TestRegistry registry;
  const auto device = registry.Register();
  json event = Command("mno-a", "device.attach", "attach", {{"device", device.device}});
  event["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  event["tracestate"] = "rojo=00f067aa0ba902b7," + std::string("congo=") + std::string(256, 'x');
  EXPECT_EQ(registry.AskRaw(Raw("mno-a", "device.attach", event.dump())).envelope.at("tracestate"),
            event["tracestate"]);
  const auto asked = registry.Heard("registry/v1/to/mno-a/do/key.generate");
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_TRUE(asked[0].envelope.contains("traceparent"));
  EXPECT_FALSE(asked[0].envelope.contains("tracestate"));
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
