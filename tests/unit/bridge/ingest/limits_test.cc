// Limits of a party's pace: buckets as such, and what the pipeline does with them.
#include "bridge/ingest/limits.h"

#include <gmock/gmock.h>

#include "bridge/ingest/party_terms.h"
#include "tests/support/commands.h"
#include "tests/support/test_registry.h"

namespace registry::ingest {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Said;
using test::TestRegistry;

constexpr UtcTime kNow{1'790'000'000'000'000};
const PartyId kMno = *PartyId::Parse("mno-a"), kAsp = *PartyId::Parse("asp-a"),
              kNobody = *PartyId::Parse("x");
constexpr Rates kRates{{{10, 20}, {5, 5}, {1, 2}, {1, 3}}};

std::size_t Taken(Limits& limits, const PartyId& party, LimitClass which, UtcTime now) {
  std::size_t taken = 0;
  while (!limits.Take(party, which, now)) ++taken;
  return taken;
}

TEST(Limits, ABucketEmptiesAndFillsAgain) {
  Limits limits({kRates, {}}, {kMno, kAsp});
  EXPECT_EQ(Taken(limits, kMno, LimitClass::kWrite, kNow), 20u);
  const auto over = limits.Take(kMno, LimitClass::kWrite, kNow);
  ASSERT_TRUE(over);
  EXPECT_EQ(over->code, Code::kLimit);
  EXPECT_EQ(over->symbol, "limit_reached");
  EXPECT_EQ(over->limit, "write");
  EXPECT_EQ(over->left, 0u);
  EXPECT_EQ(over->retry_after_seconds, 1);
  EXPECT_EQ(Taken(limits, kMno, LimitClass::kWrite, kNow + milliseconds(500)), 5u);
  EXPECT_EQ(Taken(limits, kMno, LimitClass::kWrite, kNow + hours(1)), 20u) << "never more than the burst";
}

TEST(Limits, PartiesAndClassesHaveBucketsOfTheirOwn) {
  Limits limits({kRates, {{kAsp, Rates{{{1, 1}, {1, 1}, {1, 1}, {1, 1}}}}}}, {kMno, kAsp});
  EXPECT_EQ(Taken(limits, kMno, LimitClass::kWrite, kNow), 20u);
  EXPECT_EQ(Taken(limits, kMno, LimitClass::kRead, kNow), 5u);
  EXPECT_EQ(Taken(limits, kAsp, LimitClass::kWrite, kNow), 1u);
}

TEST(Limits, WhatAnMnoReportsIsNotLimited) {
  Limits limits({kRates, {}}, {kMno});
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(limits.Take(kMno, LimitClass::kReport, kNow));
}

TEST(Limits, AllWhoAreNoPartyHaveOneAccount) {
  Limits limits({kRates, {}}, {kMno});
  EXPECT_EQ(Taken(limits, kNobody, LimitClass::kWrite, kNow), 20u);
  EXPECT_EQ(Taken(limits, *PartyId::Parse("y"), LimitClass::kWrite, kNow), 0u);
  EXPECT_EQ(Taken(limits, kMno, LimitClass::kWrite, kNow), 20u);
}

TEST(Limits, AClockThatWasSetBackGivesAndTakesNothing) {
  Limits limits({kRates, {}}, {kMno});
  EXPECT_EQ(Taken(limits, kMno, LimitClass::kWrite, kNow), 20u);
  EXPECT_EQ(Taken(limits, kMno, LimitClass::kWrite, kNow - hours(1)), 0u);
  EXPECT_EQ(Taken(limits, kMno, LimitClass::kWrite, kNow - hours(1) + seconds(1)), 10u);
}

TEST(Limits, AreToldAndATokenComesBack) {
  Limits limits({kRates, {}}, {kMno});
  EXPECT_FALSE(limits.Take(kMno, LimitClass::kAuthorise, kNow));
  const auto left = [&] { return limits.Tell(kMno, kNow).limits.at(3).left; };
  EXPECT_EQ(left(), 2u);
  limits.GiveBack(kMno, LimitClass::kAuthorise);
  limits.GiveBack(kMno, LimitClass::kAuthorise);
  EXPECT_EQ(left(), 3u);
  const auto told = limits.Tell(kMno, kNow);
  ASSERT_EQ(told.limits.size(), 4u);
  EXPECT_EQ(told.limits[0].limit, "write");
  EXPECT_EQ(told.limits[0].per_second, 10u);
  EXPECT_EQ(told.limits[0].burst, 20u);
}

TEST(Limits, WithoutRulesThereAreNone) {
  Limits limits({}, {kMno});
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(limits.Take(kMno, LimitClass::kWrite, kNow));
  EXPECT_TRUE(limits.Tell(kMno, kNow).limits.empty());
}

TEST(Limits, ChangedRulesHoldAtOnceAndFillNobodysBucket) {
  Limits limits({kRates, {}}, {kMno, kAsp});
  EXPECT_EQ(Taken(limits, kMno, LimitClass::kWrite, kNow), 20u);
  EXPECT_FALSE(limits.Take(kAsp, LimitClass::kWrite, kNow));
  limits.Change({kRates, {{kAsp, Rates{{{1, 2}, {1, 1}, {1, 1}, {1, 1}}}}}}, {kMno, kAsp});
  EXPECT_EQ(Taken(limits, kMno, LimitClass::kWrite, kNow), 0u) << "a change is no gift";
  EXPECT_EQ(Taken(limits, kAsp, LimitClass::kWrite, kNow), 2u) << "and nobody keeps more than its new burst";
  limits.Change({kRates, {}}, {kAsp});
  EXPECT_EQ(Taken(limits, kNobody, LimitClass::kWrite, kNow), 20u);
  EXPECT_EQ(Taken(limits, kMno, LimitClass::kWrite, kNow), 0u) << "who is no party shares with all others";
  EXPECT_EQ(Taken(limits, kAsp, LimitClass::kWrite, kNow + seconds(1)), 10u);
}

// Whoever decides keeps what it has begun with.
TEST(TermsInForce, AChangeHoldsForWhoAsksBehindIt) {
  Terms first;
  first.parties = {{kMno, wire::Role::kMno}};
  first.policy.zone = "iotregistry.test";
  TermsInForce terms(first);
  const auto begun = terms.Now();
  PartyTerms changed;
  changed.parties = {{kAsp, wire::Role::kAsp}};
  changed.retry.usual.attempts_max = 3;
  changed.transfer.auto_approve = {kAsp};
  terms.Change(changed);
  EXPECT_TRUE(begun->parties.contains(kMno));
  EXPECT_TRUE(begun->policy.transfer.auto_approve.empty());
  const auto now = terms.Now();
  EXPECT_EQ(now->parties, changed.parties);
  EXPECT_EQ(now->policy.retry.usual.attempts_max, 3u);
  EXPECT_TRUE(now->policy.transfer.auto_approve.contains(kAsp));
  EXPECT_EQ(now->policy.zone, "iotregistry.test") << "the rest stays";
}

// ---- in the pipeline

TestRegistry::Setup WithLimits() {
  TestRegistry::Setup setup;
  setup.limits.usual = {{{1, 4}, {1, 3}, {1, 2}, {1, 5}}};
  return setup;
}

Said Ack(TestRegistry& registry, const std::string& party, const std::string& id = "") {
  return registry.Ask(party, "feed.ack", {{"seq", 0}}, id);
}

TEST(LimitsInThePipeline, OverTheLimitACommandIsRefusedAndLeavesNoMark) {
  TestRegistry registry(WithLimits());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Ack(registry, "mno-a").accepted());
  const Said over = Ack(registry, "mno-a", "mine");
  EXPECT_EQ(over.symbol(), "limit_reached");
  EXPECT_EQ(over.code(), 2502);
  EXPECT_EQ(over.data().at("limit"), "write");
  EXPECT_EQ(over.data().at("left"), 0);
  EXPECT_EQ(over.data().at("retryAfterSeconds"), 1);
  EXPECT_EQ(over.envelope.at("cause"), "mine");
  EXPECT_EQ(registry.Limited("mno-a write"), 1u);
  EXPECT_FALSE(registry.ledger().FindEvent(kMno, *EventId::Parse("mine"))->has_value());
  EXPECT_TRUE(Ack(registry, "mno-b").accepted()) << "another party's bucket";
  registry.clock().Advance(seconds(1));
  EXPECT_TRUE(Ack(registry, "mno-a", "mine").accepted()) << "the same id may come again";
}

TEST(LimitsInThePipeline, ARefusedReadWritesNothing) {
  TestRegistry registry(WithLimits());
  const auto quota = [&] { return registry.Ask("asp-a", "quota.get", json::object()); };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(quota().accepted());
  const auto changesets = registry.ledger().changesets();
  const Said over = quota();
  EXPECT_EQ(over.symbol(), "limit_reached");
  EXPECT_EQ(over.data().at("limit"), "read");
  EXPECT_EQ(registry.ledger().changesets(), changesets);
  EXPECT_TRUE(Ack(registry, "asp-a").accepted()) << "its other classes are not touched";
}

TEST(LimitsInThePipeline, AReportIsHeardFromAPartyThatIsAtItsLimit) {
  TestRegistry registry(WithLimits());
  const auto device = registry.Register();
  while (Ack(registry, "mno-a").accepted()) continue;
  EXPECT_TRUE(registry.Ask("mno-a", "device.attach", {{"device", device.device}}).accepted());
}

TEST(LimitsInThePipeline, AnUnreadableMessageCountsAsWritten) {
  TestRegistry registry(WithLimits());
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(registry.AskRaw(test::Raw("mno-a", "feed.ack", "{")).symbol(), "bad_json");
  EXPECT_EQ(registry.AskRaw(test::Raw("mno-a", "feed.ack", "{")).symbol(), "limit_reached");
  EXPECT_EQ(registry.AskRaw(test::Raw("mno-a", "what.is.this", "{}")).symbol(), "limit_reached");
}

TEST(LimitsInThePipeline, ARightCodeGivesItsTokenBackAndAWrongOneDoesNot) {
  TestRegistry::Setup setup = WithLimits();
  setup.limits.usual[0] = {1000, 1000};
  TestRegistry registry(setup);
  registry.PublishEndpoint();
  const auto claim = [&](const TestRegistry::Registered& device) {
    return registry.Ask(
        "asp-a", "device.claim",
        {{"device", device.device}, {"authorisationCode", device.code}, {"endpoint", "main"}});
  };
  for (int i = 0; i < 12; ++i) EXPECT_TRUE(claim(registry.Register()).accepted()) << i;
  const auto wrong = [&] { return claim({registry.Register().device, "nonsense"}).symbol(); };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(wrong(), "authorisation_invalid") << i;
  EXPECT_EQ(wrong(), "limit_reached");
}

TEST(LimitsInThePipeline, EachItemOfABatchIsCharged) {
  TestRegistry registry(WithLimits());
  json batch = json::array();
  for (int i = 0; i < 7; ++i) {
    batch.push_back(test::Command("mno-a", "feed.ack", "item-" + std::to_string(i), {{"seq", 0}}));
  }
  auto message = test::Raw("mno-a", "batch", batch.dump());
  message.mode = wire::ContentMode::kBatch;
  registry.Send(message);
  ASSERT_TRUE(registry.Counted("accepted", 4));
  ASSERT_TRUE(registry.Counted("rejected", 3));
  EXPECT_EQ(registry.Limited("mno-a write"), 3u);
}

TEST(LimitsInThePipeline, TheyAreToldToWhoAsks) {
  TestRegistry registry(WithLimits());
  EXPECT_TRUE(Ack(registry, "asp-a").accepted());
  const Said told = registry.Ask("asp-a", "quota.get", json::object());
  ASSERT_TRUE(told.accepted()) << told.payload;
  const json& limits = told.data().at("limits");
  ASSERT_EQ(limits.size(), 4u);
  EXPECT_EQ(limits[0], (json{{"limit", "write"}, {"perSecond", 1}, {"burst", 4}, {"left", 3}}));
  EXPECT_EQ(limits[1], (json{{"limit", "read"}, {"perSecond", 1}, {"burst", 3}, {"left", 2}}));
}

}  // namespace
}  // namespace registry::ingest
