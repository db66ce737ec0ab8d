#include "bridge/app/overview.h"

#include <gtest/gtest.h>

namespace registry::app {
namespace {

using nlohmann::json;

constexpr UtcTime kStart{1'790'000'000'000'000};

// Healthy.
Sample WellSample() {
  Sample sample;
  sample.mqtt_connected = true;
  sample.zone_serial = 7;
  sample.zone_first_expiry = kStart.seconds() + 10 * 86'400;
  sample.crl_written = kStart.seconds() - 60;
  sample.free_bytes = {{"ledger", std::uint64_t{50} << 30}};
  sample.secondaries = {{"nsd", 0.5, 7, true}};
  return sample;
}

std::string AlarmText(const Sample& sample) {
  std::string text;
  for (const Alarm& alarm : AlarmsOf(sample, kStart))
    text += (alarm.page ? "page " : "ticket ") + alarm.text + "\n";
  return text;
}

TEST(Overview, AHealthyRegistryHasNoAlarm) { EXPECT_EQ(AlarmText(WellSample()), ""); }

TEST(Overview, EachTroubleIsAnAlarm) {
  Sample sample = WellSample();
  sample.mqtt_connected = false;
  sample.mqtt_trouble = "refused";
  EXPECT_EQ(AlarmText(sample), "page No connection to the broker: refused\n");
  sample = WellSample();
  sample.secondaries = {{"nsd", 0, 0, false}, {"knot", 90, 6, true}};
  EXPECT_EQ(AlarmText(sample), "page Secondary nsd does not answer\npage Secondary knot is 90 s behind\n");
  sample.secondaries = {{"nsd", 40, 6, true, false, 30.5}, {"knot", 40, 6, true, false, 29}};
  EXPECT_EQ(AlarmText(sample), "page Secondary nsd has served a revoked device for 30 s\n");
  sample = WellSample();
  sample.free_bytes = {{"intake", std::uint64_t{1} << 30}};
  EXPECT_EQ(AlarmText(sample), "ticket Less than 2 GiB are free where intake lies\n");
  sample.disk_nearly_full = true;
  EXPECT_EQ(AlarmText(sample), "page The disk is nearly full: commands are refused\n") << "once is enough";
  sample = WellSample();
  sample.zone_first_expiry = kStart.seconds() + 3600;
  sample.census.ends[1] = 4;
  sample.broker_crl_until = kStart.seconds() + 86'400;
  EXPECT_EQ(AlarmText(sample),
            "page The zone's signatures are not made again\n"
            "page 4 live certificates end within a day\n"
            "page The broker's list of withdrawn parties ends within two weeks\n");
}

Totals::Step StepWithin(std::vector<std::uint64_t> within, std::uint64_t count) {
  within.resize(StepBounds().size(), count);
  return {"certified", count, std::move(within)};
}

TEST(Overview, AQuantileLiesBetweenTheBoundsOfItsBucket) {
  // 10 within 0.3 ms (the second bound), 90 within 1 ms (the third), 100 in all within 3 ms.
  const Totals::Step now = StepWithin({0, 10, 90}, 100);
  const auto median = QuantileOf(now, {}, 0.5);
  ASSERT_TRUE(median);
  EXPECT_NEAR(*median, 0.0003 + (0.001 - 0.0003) * 0.5, 1e-9);
  EXPECT_NEAR(*QuantileOf(now, {}, 0.95), 0.001 + (0.003 - 0.001) * 0.5, 1e-9);
  EXPECT_FALSE(QuantileOf(now, now, 0.5)) << "nothing was counted since";
  const Totals::Step slow{"published", 4, std::vector<std::uint64_t>(StepBounds().size(), 1)};
  EXPECT_FALSE(QuantileOf(slow, {}, 0.95)) << "it took longer than the last bound";
  EXPECT_FALSE(QuantileOf({}, {}, 0.95));
}

TEST(Overview, RatesAreOverTheTimeBetweenTwoLooks) {
  Counted last{kStart, WellSample(), {}}, now{kStart + std::chrono::seconds(2), WellSample(), {}};
  now.sample.heard = 10;
  now.totals.commands = {{"accepted", 6}, {"rejected", 1}};
  now.sample.outbox_depth = 3;
  const json point = PointOf(now, last);
  EXPECT_EQ(point["heard"], 5.0);
  EXPECT_EQ(point["accepted"], 3.0);
  EXPECT_EQ(point["rejected"], 0.5);
  EXPECT_EQ(point["outbox"], 3);
  EXPECT_EQ(PointOf(now, now)["heard"], 0.0) << "the first look has none before it";
}

TEST(Overview, HoldsWhatThePageShows) {
  Counted now{kStart, WellSample(), {}};
  now.sample.census.taken = kStart;
  now.sample.census.states = {{domain::State::kActive, 9}};
  now.totals.steps = {StepWithin({5}, 5)};
  const json page = OverviewOf(now, now, {kStart, {}, {}}, {{kStart, Level::kError, "zone", "no answer"}});
  EXPECT_EQ(page["census"]["states"]["active"], 9);
  EXPECT_EQ(page["steps"][0]["step"], "certified");
  EXPECT_EQ(page["steps"][0]["count"], 5);
  EXPECT_EQ(page["secondaries"][0]["name"], "nsd");
  EXPECT_EQ(page["lines"][0]["level"], "error");
  EXPECT_TRUE(page["alarms"].empty());
}

TEST(Overview, APartySaysWhatItHas) {
  Sample sample;
  const PartyId mno = *PartyId::Parse("mno-a");
  sample.heard_last = {{*PartyId::Parse("asp-a"), wire::Role::kAsp, kStart}, {mno, wire::Role::kMno, {}}};
  sample.census.parties[mno] = {7, 0};
  sample.jobs = {{mno, {2, 40}}};
  const json rows = PartiesOf(sample)["parties"];
  EXPECT_EQ(rows[0]["role"], "asp");
  EXPECT_EQ(rows[0]["sponsored"], 0);
  EXPECT_TRUE(rows[1]["heard"].is_null());
  EXPECT_EQ(rows[1]["sponsored"], 7);
  EXPECT_EQ(rows[1]["jobsUnsent"], 40);
}

NodesLook LookAtTwo() {
  ledger::NodesSeen seen;
  seen.lease.node = "a";
  seen.lease.epoch = 7;
  seen.lease.lasts = std::chrono::seconds(8);
  seen.lease.process = 4711;
  seen.lease.since = kStart;
  seen.lease.said = kStart + std::chrono::seconds(59);
  seen.lease.now = kStart + std::chrono::seconds(60);
  ledger::StandbySeen waits;
  waits.name = "b";
  waits.reaches_broker = true;
  waits.said = seen.lease.now;
  seen.standing_by = {waits};
  return {seen, std::chrono::milliseconds(500), ""};
}

TEST(Overview, EachNodeSaysWhatItIsAndHowLongAgoItWrote) {
  Sample sample = WellSample();
  sample.node.take_overs = 1;
  const json shown = NodesOf(LookAtTwo(), "a", sample);
  EXPECT_EQ(shown["nodes"][0], (json{{"node", "a"},
                                     {"version", ""},
                                     {"state", "active"},
                                     {"since", ToRfc3339(kStart)},
                                     {"saidSecondsAgo", 1.5},
                                     {"leaseSeconds", 8.0},
                                     {"epoch", 7},
                                     {"reachesBroker", true}}));
  EXPECT_EQ(shown["nodes"][1]["state"], "standby");
  EXPECT_EQ(shown["nodes"][1]["reachesBroker"], true);
  EXPECT_TRUE(shown["nodes"][1]["epoch"].is_null());
  EXPECT_EQ(shown["tookOver"], true);
  EXPECT_EQ(shown["lookedSecondsAgo"], 0.5);
  sample.mqtt_connected = false;
  EXPECT_EQ(NodesOf(LookAtTwo(), "a", sample)["nodes"][0]["reachesBroker"], false);
  EXPECT_TRUE(NodesOf(LookAtTwo(), "c", sample)["nodes"][0]["reachesBroker"].is_null())
      << "of another node's way to the broker nothing is known";
}

TEST(Overview, WhatTheLedgersServerHasNotSaidIsNotShown) {
  const json shown = NodesOf({{}, {}, "no answer"}, "a", WellSample());
  EXPECT_EQ(shown["nodes"], json::array());
  EXPECT_TRUE(shown["lookedSecondsAgo"].is_null());
  EXPECT_EQ(shown["trouble"], "no answer");
}

}  // namespace
}  // namespace registry::app
