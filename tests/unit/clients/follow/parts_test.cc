// What a follower decides without a broker: what is due, what is gone, and how its position is kept.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "clients/follow/position_file.h"
#include "clients/follow/sequence.h"
#include "tests/support/temporary_folder.h"

namespace registry::follow {
namespace {

using namespace std::chrono_literals;
using test::TemporaryFolder;

constexpr bool kAck = false, kReplay = true;
const Sequence::Time kStart{1h};

Notification Of(std::uint64_t seq) { return {seq, "device.activated", "{}", "{}"}; }

// Handles whatever has its turn.
std::uint64_t Drain(Sequence& sequence) {
  while (sequence.Next() != nullptr) sequence.Handled();
  return sequence.applied();
}

TEST(Sequence, AsksInEachConnectionAndOnceOnly) {
  Sequence sequence(17);
  sequence.Connected();
  EXPECT_EQ(sequence.ReplayDue(kStart), 18u);
  sequence.Asked(kReplay, "a", kStart);
  EXPECT_TRUE(sequence.Awaits(kReplay, "a"));
  EXPECT_FALSE(sequence.Awaits(kAck, "a"));
  EXPECT_EQ(sequence.ReplayDue(kStart + 2s), std::nullopt);
  EXPECT_EQ(sequence.Accepted(kReplay, {17, 17, 0}), std::nullopt);
  EXPECT_EQ(sequence.ReplayDue(kStart + 1h), std::nullopt) << "nothing is missing";
  EXPECT_EQ(sequence.AckDue(kStart + 1h), std::nullopt) << "it is acknowledged";
  sequence.Connected();
  EXPECT_EQ(sequence.ReplayDue(kStart + 1h), 18u);
}

TEST(Sequence, AReplyThatNeverComesIsGivenUp) {
  Sequence sequence(0);
  sequence.Connected();
  sequence.Asked(kReplay, "a", kStart);
  EXPECT_FALSE(sequence.GaveUp(kReplay, kStart + 10s, 10s));
  EXPECT_TRUE(sequence.GaveUp(kReplay, kStart + 11s, 10s));
  EXPECT_FALSE(sequence.GaveUp(kReplay, kStart + 12s, 10s));
  EXPECT_FALSE(sequence.Awaits(kReplay, "a"));
  EXPECT_EQ(sequence.ReplayDue(kStart + 11s), 1u);
}

TEST(Sequence, WhatComesTooEarlyWaitsAndWhatIsKnownIsDropped) {
  Sequence sequence(1);
  sequence.Connected();
  sequence.Asked(kReplay, "a", kStart);
  (void)sequence.Accepted(kReplay, {1, 1, 0});
  sequence.Heard(Of(3), kStart + 2s);
  sequence.Heard(Of(1), kStart + 2s);
  EXPECT_EQ(Drain(sequence), 1u);
  EXPECT_EQ(sequence.ReplayDue(kStart + 2s), std::nullopt) << "it may still come";
  EXPECT_EQ(sequence.ReplayDue(kStart + 3s), 2u);
  sequence.Heard(Of(2), kStart + 3s);
  EXPECT_EQ(Drain(sequence), 3u);
  EXPECT_EQ(sequence.ReplayDue(kStart + 1h), std::nullopt);
  EXPECT_EQ(sequence.AckDue(kStart + 3s), 3u);
}

TEST(Sequence, PausesGrowWhileReplaysBringNothing) {
  Sequence sequence(0);
  sequence.Connected();
  auto now = kStart;
  Sequence::Time before{};
  std::chrono::nanoseconds last{};
  for (int i = 0; i < 12; ++i) {
    while (!sequence.ReplayDue(now)) now += 100ms;
    if (i > 1) {
      EXPECT_GE(now - before, last);
    }
    if (i > 0) last = now - before;
    before = now;
    sequence.Asked(kReplay, "x", now);
    EXPECT_EQ(sequence.Accepted(kReplay, {5, 0, 5}), std::nullopt) << "none of them is gone";
  }
  EXPECT_GE(last, 60s);
  EXPECT_LE(last, 61s);
  sequence.Heard(Of(1), now);
  EXPECT_EQ(Drain(sequence), 1u);
  sequence.Asked(kReplay, "y", now);
  (void)sequence.Accepted(kReplay, {5, 0, 4});
  EXPECT_EQ(sequence.ReplayDue(now + 2s), 2u) << "one that came makes it hopeful again";
}

TEST(Sequence, KnowsWhatIsGoneFromTheCountOfAReplay) {
  Sequence sequence(2);
  sequence.Connected();
  sequence.Asked(kReplay, "a", kStart);
  const auto gone = sequence.Accepted(kReplay, {10, 7, 3});
  ASSERT_TRUE(gone);
  EXPECT_EQ(*gone, (std::pair<std::uint64_t, std::uint64_t>(3, 7)));
  sequence.Gone(gone->second);
  for (std::uint64_t seq = 8; seq <= 10; ++seq) sequence.Heard(Of(seq), kStart);
  EXPECT_EQ(Drain(sequence), 10u);
}

// A full replay does not say where the feed begins; what it brings does.
TEST(Sequence, KnowsWhatIsGoneFromWhatAFullReplayBrings) {
  Sequence sequence(0);
  sequence.Connected();
  sequence.Asked(kReplay, "a", kStart);
  EXPECT_EQ(sequence.Accepted(kReplay, {5000, 100, 1000}), std::nullopt);
  for (std::uint64_t seq = 51; seq <= 1050; ++seq) sequence.Heard(Of(seq), kStart);
  EXPECT_EQ(Drain(sequence), 0u);
  EXPECT_EQ(sequence.ReplayDue(kStart + 2s), 1u);
  sequence.Asked(kReplay, "b", kStart + 2s);
  const auto gone = sequence.Accepted(kReplay, {5000, 100, 1000});
  ASSERT_TRUE(gone);
  EXPECT_EQ(*gone, (std::pair<std::uint64_t, std::uint64_t>(1, 50)));
  sequence.Gone(50);
  EXPECT_EQ(Drain(sequence), 1050u);
}

TEST(Sequence, WaitsAsLongAsItIsTold) {
  Sequence sequence(0);
  sequence.Connected();
  sequence.Asked(kReplay, "a", kStart);
  sequence.Rejected(kReplay, 30s, kStart);
  EXPECT_EQ(sequence.ReplayDue(kStart + 29s), std::nullopt);
  EXPECT_EQ(sequence.ReplayDue(kStart + 30s), 1u);
}

TEST(Sequence, KeepsNoMoreThanItsLimitAndAsksForTheRest) {
  Sequence sequence(0);
  sequence.Connected();
  sequence.Asked(kReplay, "a", kStart);
  (void)sequence.Accepted(kReplay, {1, 0, 1});
  for (std::uint64_t seq = 2; seq <= 3000; ++seq) sequence.Heard(Of(seq), kStart);
  sequence.Heard(Of(1), kStart);
  EXPECT_EQ(Drain(sequence), Sequence::kWaitingMax) << "of the first one there is always room";
  EXPECT_EQ(sequence.ReplayDue(kStart + 2s), Sequence::kWaitingMax + 1);
}

TEST(Position, IsMadeKeptAndReadAgain) {
  const TemporaryFolder folder;
  PositionFile fresh(folder.In("p"));
  ASSERT_EQ(fresh.Open("asp-a"), "");
  EXPECT_EQ(fresh.applied(), 0u);
  EXPECT_TRUE(fresh.client_id().starts_with("asp-a-"));
  EXPECT_GE(fresh.client_id().size(), 32u);
  ASSERT_EQ(fresh.Store(9007199254740991), "");
  PositionFile again(folder.In("p"));
  ASSERT_EQ(again.Open("asp-a"), "");
  EXPECT_EQ(again.applied(), 9007199254740991u);
  EXPECT_EQ(again.client_id(), fresh.client_id());
  PositionFile other(folder.In("q"));
  ASSERT_EQ(other.Open("asp-a"), "");
  EXPECT_NE(other.client_id(), fresh.client_id());
}

TEST(Position, IsNeverTakenForANewOne) {
  const TemporaryFolder folder;
  for (const char* text :
       {"", "{", "[]", "{\"party\":\"asp-a\"}", "{\"party\":\"asp-a\",\"clientId\":\"x\",\"applied\":7}",
        "{\"party\":\"asp-a\",\"clientId\":\"x\",\"applied\":\"-7\"}",
        "{\"party\":\"asp-a\",\"clientId\":\"x\",\"applied\":\"7x\"}"}) {
    const std::string path = folder.Write("p", text);
    EXPECT_EQ(PositionFile(path).Open("asp-a"),
              path + " is no position file: party, clientId or applied is missing")
        << text;
    EXPECT_EQ(folder.Read("p"), text);
  }
  EXPECT_NE(PositionFile(folder.In("nowhere/p")).Open("asp-a"), "");
}

}  // namespace
}  // namespace registry::follow
