// What people are told of each registry on one ledger.
#include "bridge/ledger/postgres/node_list.h"

#include <gmock/gmock.h>

namespace registry::ledger {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr UtcTime kNow{1'790'000'000'000'000};

NodesSeen SeenNow() {
  NodesSeen seen;
  seen.lease.now = kNow;
  return seen;
}

StandbySeen Waiting(const std::string& name, seconds said_ago, bool reaches_broker) {
  StandbySeen one;
  one.name = name;
  one.version = "1.2";
  one.reaches_broker = reaches_broker;
  one.since = kNow - seconds(3600);
  one.said = kNow - said_ago;
  return one;
}

TEST(NodeListTest, ALedgerThatNobodyHasHadHasNone) { EXPECT_THAT(ListOf(SeenNow()), testing::IsEmpty()); }

TEST(NodeListTest, WhoHasItIsFirstAndWhoHadItHasEnded) {
  NodesSeen seen = SeenNow();
  seen.lease.node = "a";
  seen.lease.version = "1.1";
  seen.lease.epoch = 7;
  seen.lease.lasts = seconds(8);
  seen.lease.since = kNow - seconds(60);
  seen.lease.said = kNow - milliseconds(1500);
  seen.lease.process = 4711;
  seen.standing_by = {Waiting("b", seconds(1), true)};
  auto listed = ListOf(seen);
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].name, "a");
  EXPECT_EQ(listed[0].version, "1.1");
  EXPECT_STREQ(NodeStateName(listed[0].state), "active");
  EXPECT_EQ(listed[0].since, kNow - seconds(60));
  EXPECT_EQ(listed[0].said_ago, milliseconds(1500));
  EXPECT_EQ(listed[0].lease, milliseconds(8000));
  EXPECT_EQ(listed[0].epoch, 7);
  EXPECT_EQ(listed[0].reaches_broker, std::nullopt) << "it does not say so in the ledger";
  seen.lease.process = 0;
  listed = ListOf(seen);
  EXPECT_STREQ(NodeStateName(listed[0].state), "ended");
}

// A registryctl has no name there.
TEST(NodeListTest, WhoHasItWithoutANameIsListedWhileItHasIt) {
  NodesSeen seen = SeenNow();
  seen.lease.process = 4711;
  ASSERT_EQ(ListOf(seen).size(), 1u);
  EXPECT_EQ(ListOf(seen)[0].lease, milliseconds(0));
}

TEST(NodeListTest, WhoWaitsIsSilentWhenItHasSaidNothingForHalfAMinute) {
  NodesSeen seen = SeenNow();
  seen.standing_by = {Waiting("b", seconds(30), true), Waiting("c", seconds(31), false),
                      Waiting("d", seconds(1), true), Waiting("e", seconds(31), true)};
  seen.deciding = {"d", "e"};
  const auto listed = ListOf(seen);
  ASSERT_EQ(listed.size(), 4u);
  EXPECT_STREQ(NodeStateName(listed[2].state), "deciding");
  EXPECT_STREQ(NodeStateName(listed[3].state), "silent");
  EXPECT_STREQ(NodeStateName(listed[0].state), "standby");
  EXPECT_EQ(listed[0].reaches_broker, true);
  EXPECT_EQ(listed[0].lease, std::nullopt);
  EXPECT_EQ(listed[0].epoch, std::nullopt);
  EXPECT_STREQ(NodeStateName(listed[1].state), "silent");
  EXPECT_EQ(listed[1].said_ago, seconds(31));
  EXPECT_EQ(listed[1].reaches_broker, false);
}

}  // namespace
}  // namespace registry::ledger
