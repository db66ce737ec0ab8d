#include "bridge/app/status.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace registry::app {
namespace {

Sample Good() {
  Sample sample;
  sample.mqtt_connected = true;
  sample.zone_serial = 5;
  sample.secondaries = {{"nsd", 0, 5, true}, {"knot", 0.2, 4, true}};
  return sample;
}

TEST(Status, HealthIsTheLedgers) {
  EXPECT_EQ(HealthPage(true).status, 200);
  EXPECT_EQ(HealthPage(false).status, 503);
}

TEST(Status, OneThatStandsByIsWellAndNotTheOneToAsk) {
  EXPECT_EQ(StandbyHealthPage(true, false, "standby: a has the ledger").status, 200);
  EXPECT_EQ(StandbyHealthPage(false, false, "standby: cannot connect").status, 503);
  const Page ready = StandbyReadyPage("standby: a has the ledger");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(nlohmann::json::parse(ready.body)["node"], "standby");
  EXPECT_EQ(nlohmann::json::parse(HealthPage(true).body)["node"], "active");
}

TEST(Status, OneThatDecidesIsReadyWhileItHears) {
  EXPECT_EQ(nlohmann::json::parse(StandbyHealthPage(true, true, "").body)["node"], "deciding");
  Sample sample;
  EXPECT_EQ(DecidingReadyPage(sample, "").status, 503);
  sample.mqtt_connected = true;
  const Page ready = DecidingReadyPage(sample, "decides");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(nlohmann::json::parse(ready.body)["node"], "deciding");
}

TEST(Status, ReadyOnceCommandsAreHeardAndEverySecondaryServes) {
  EXPECT_EQ(ReadyPage(Good()).status, 200);
  Sample away = Good();
  away.mqtt_connected = false;
  away.mqtt_trouble = "subscribe_refused: registry/v1/from/#: granted at QoS 0, not 1";
  const Page silent = ReadyPage(away);
  EXPECT_EQ(silent.status, 503);
  EXPECT_EQ(nlohmann::json::parse(silent.body)["mqtt_trouble"], away.mqtt_trouble)
      << "it says what is missing";
  Sample full = Good();
  full.disk_nearly_full = true;
  EXPECT_EQ(ReadyPage(full).status, 503);
  EXPECT_EQ(nlohmann::json::parse(ReadyPage(full).body)["disk_nearly_full"], true);
  Sample empty = Good();
  empty.secondaries[1].serial = 0;
  const Page page = ReadyPage(empty);
  EXPECT_EQ(page.status, 503);
  EXPECT_FALSE(nlohmann::json::parse(page.body)["secondaries"]["knot"]["serves"].get<bool>());
}

}  // namespace
}  // namespace registry::app
