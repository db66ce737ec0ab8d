#include "simulators/mqtt/pending.h"

#include <gtest/gtest.h>

namespace registry::sim {
namespace {

using std::chrono::milliseconds;
using Clock = PendingCommands::Clock;

const Clock::time_point kStart{};

TEST(PendingCommandsTest, RepeatsUntilAnsweredWithTheSameBytes) {
  PendingCommands pending(milliseconds(100), milliseconds(1000), 10);
  ASSERT_TRUE(pending.Add(
      "a", {"topic", "payload"}, [](const Reply&) {}, kStart));
  EXPECT_TRUE(pending.TakeDue(kStart + milliseconds(99), false).again.empty());
  for (const int ms : {100, 200, 300}) {
    const auto due = pending.TakeDue(kStart + milliseconds(ms), false);
    ASSERT_EQ(due.again.size(), 1u);
    EXPECT_EQ(due.again[0].payload, "payload");
    EXPECT_EQ(due.next, kStart + milliseconds(ms + 100));
  }
  EXPECT_TRUE(pending.Take("a").has_value());
  EXPECT_FALSE(pending.Take("a").has_value());
  EXPECT_TRUE(pending.TakeDue(kStart + milliseconds(500), false).again.empty());
}

TEST(PendingCommandsTest, GivesUpAtTheDeadlineEvenBetweenRepetitions) {
  PendingCommands pending(milliseconds(100), milliseconds(150), 10);
  int given_up = 0;
  pending.Add(
      "a", {"t", "p"}, [&](const Reply&) { ++given_up; }, kStart);
  EXPECT_EQ(pending.TakeDue(kStart + milliseconds(100), false).next, kStart + milliseconds(150));
  const auto due = pending.TakeDue(kStart + milliseconds(150), false);
  EXPECT_TRUE(due.again.empty());
  ASSERT_EQ(due.given_up.size(), 1u);
  due.given_up[0](Reply{});
  EXPECT_EQ(given_up, 1);
  EXPECT_FALSE(pending.Take("a").has_value());
}

TEST(PendingCommandsTest, ANewConnectionSaysEverythingAgainOnce) {
  PendingCommands pending(milliseconds(100), milliseconds(1000), 10);
  pending.Add("a", {"t", "1"}, nullptr, kStart);
  pending.Add("b", {"t", "2"}, nullptr, kStart);
  EXPECT_EQ(pending.TakeDue(kStart + milliseconds(10), true).again.size(), 2u);
  EXPECT_TRUE(pending.TakeDue(kStart + milliseconds(100), false).again.empty());
}

// PARTY.md, rule 2.
TEST(PendingCommandsTest, WhatIsPutOffComesAgainAtItsTimeAndNotBefore) {
  PendingCommands pending(milliseconds(100), milliseconds(1000), 10);
  pending.Add("a", {"t", "1"}, nullptr, kStart);
  EXPECT_TRUE(pending.PutOff("a", kStart + milliseconds(300)));
  EXPECT_TRUE(pending.TakeDue(kStart + milliseconds(100), false).again.empty());
  EXPECT_TRUE(pending.TakeDue(kStart + milliseconds(200), true).again.empty())
      << "a new connection is no reason";
  EXPECT_EQ(pending.TakeDue(kStart + milliseconds(300), false).again.size(), 1u);
  EXPECT_TRUE(pending.TakeDue(kStart + milliseconds(399), false).again.empty());
  EXPECT_EQ(pending.TakeDue(kStart + milliseconds(400), false).again.size(), 1u) << "then as before";
}

TEST(PendingCommandsTest, WhatWouldBePutOffBeyondItsDeadlineIsNot) {
  PendingCommands pending(milliseconds(100), milliseconds(1000), 10);
  pending.Add("a", {"t", "1"}, nullptr, kStart);
  EXPECT_FALSE(pending.PutOff("a", kStart + milliseconds(1000)));
  EXPECT_FALSE(pending.PutOff("b", kStart + milliseconds(1)));
  EXPECT_EQ(pending.TakeDue(kStart + milliseconds(100), false).again.size(), 1u);
}

TEST(PendingCommandsTest, RefusesMoreThanItsLimit) {
  PendingCommands pending(milliseconds(100), milliseconds(1000), 1);
  EXPECT_TRUE(pending.Add("a", {"t", "1"}, nullptr, kStart));
  EXPECT_FALSE(pending.Add("b", {"t", "2"}, nullptr, kStart));
  pending.Take("a");
  EXPECT_TRUE(pending.Add("b", {"t", "2"}, nullptr, kStart));
}

}  // namespace
}  // namespace registry::sim
