// What the fair queue and the shares promise, over many random histories: nothing lost, each sender's order kept, and
// nobody behind more than one turn of each other sender.
#include "bridge/ingest/fair_queue.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "bridge/ingest/shares.h"
#include "bridge/ingest/surplus.h"

namespace registry::ingest {
namespace {

struct Piece {
  std::size_t cost;
  int number;
};

std::string NameOf(int sender) { return std::string(1, static_cast<char>('a' + sender)); }

RC_GTEST_PROP(FairQueue, LosesNothingAndKeepsEachSendersOrder, ()) {
  FairQueue<Piece> queue(*rc::gen::inRange<std::size_t>(1, 50));
  std::map<std::string, int> pushed, popped;
  std::set<std::string> held;
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 16));
  for (const int step : steps) {
    const std::string sender = NameOf(step % 4);
    switch (step / 4) {
      case 0:
        queue.Push(sender, *rc::gen::inRange<std::size_t>(0, 200), {0, pushed[sender]++});
        break;
      case 1:
        if (auto next = queue.Pop()) {
          RC_ASSERT(!held.contains(next->sender));
          RC_ASSERT(next->item.number == popped[next->sender]++);
        } else {
          for (const auto& [name, count] : pushed) RC_ASSERT(held.contains(name) || popped[name] == count);
        }
        break;
      case 2:
        queue.Hold(sender);
        held.insert(sender);
        break;
      default:
        queue.Release(sender);
        held.erase(sender);
    }
  }
  for (const std::string& sender : held) queue.Release(sender);
  while (auto next = queue.Pop()) RC_ASSERT(next->item.number == popped[next->sender]++);
  RC_ASSERT(popped == pushed);
  RC_ASSERT(queue.size() == 0u);
}

// Over any time in which two senders want something all along, they get as much, but for a turn and a piece.
RC_GTEST_PROP(FairQueue, NobodyIsAheadByMoreThanATurnAndAPiece, ()) {
  const auto quantum = *rc::gen::inRange<std::size_t>(1, 100);
  const auto costs =
      *rc::gen::container<std::vector<std::size_t>>(400, rc::gen::inRange<std::size_t>(1, 300));
  FairQueue<Piece> queue(quantum);
  std::map<std::string, std::size_t> open, served;
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const std::string sender = NameOf(*rc::gen::inRange(0, 3));
    queue.Push(sender, costs[i], {costs[i], static_cast<int>(i)});
    ++open[sender];
  }
  while (auto next = queue.Pop()) {
    served[next->sender] += next->item.cost;
    if (--open[next->sender] == 0) break;
    for (const auto& [one, left] : open) {
      RC_ASSERT(served[next->sender] <= served[one] + 2 * quantum + 300);
    }
  }
}

TEST(FairQueue, OneStandsBehindOneTurnOfEachOther) {
  FairQueue<int> queue(1);
  for (int i = 0; i < 1000; ++i) queue.Push("flood", 1, i);
  ASSERT_TRUE(queue.Pop());
  queue.Push("b", 1, 0);
  int before = 0;
  while (queue.Pop()->sender != "b") ++before;
  EXPECT_LE(before, 1);
}

TEST(FairQueue, WhatIsPushedInFrontComesOutFirstAndOnlyOfItsSender) {
  FairQueue<int> queue(1);
  for (const int i : {2, 3}) queue.Push("a", 1, i);
  queue.Push("b", 1, 9);
  for (const int i : {1, 0}) queue.PushFront("a", 1, i);
  EXPECT_EQ(queue.size(), 5u);
  std::vector<int> of_a;
  int before_b = 0;
  while (auto next = queue.Pop()) {
    if (next->sender == "a") of_a.push_back(next->item);
    if (next->sender == "b") before_b = static_cast<int>(of_a.size());
  }
  EXPECT_EQ(of_a, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_LE(before_b, 1);
}

TEST(FairQueue, WhatIsDearWaitsForItsTurnsAndIsNotStarved) {
  FairQueue<int> queue(10);
  queue.Push("large", 1000, 0);
  for (int i = 0; i < 1000; ++i) queue.Push("small", 10, i);
  int before = 0;
  while (queue.Pop()->sender != "large") ++before;
  EXPECT_NEAR(before, 100, 2);
}

TEST(Shares, AreCountedInMessagesAndOctetsAndAreEachSendersOwn) {
  Shares shares({3, 1000});
  EXPECT_TRUE(shares.Take("a", 600));
  EXPECT_TRUE(shares.Take("a", 600)) << "over by one message, so that none is too large for an empty share";
  EXPECT_FALSE(shares.Take("a", 1));
  EXPECT_TRUE(shares.Take("b", 5000));
  shares.GiveBack("a", 600);
  EXPECT_TRUE(shares.Take("a", 1));
  EXPECT_TRUE(shares.Take("a", 1));
  EXPECT_FALSE(shares.Take("a", 1)) << "three messages";
  shares.TakeAnyway("a", 1);
  for (const std::size_t octets : {1, 1, 1}) shares.GiveBack("a", octets);
  EXPECT_TRUE(shares.Take("a", 1));
}

TEST(Shares, ABatchCountsAsManyMessages) {
  Shares shares({10, 1000});
  EXPECT_TRUE(shares.Take("a", 1, 10));
  EXPECT_FALSE(shares.Take("a", 1));
  shares.TakeAnyway("a", 1);
  shares.GiveBack("a", 1, 10);
  EXPECT_TRUE(shares.Take("a", 1, 1000)) << "over by one, so that none is too large for a share";
  EXPECT_FALSE(shares.Take("a", 1));
}

TEST(Surplus, IsToldOncePerSenderWithItsNumber) {
  Surplus surplus;
  const Surplus::Clock::time_point start{};
  for (int i = 0; i < 1000; ++i) surplus.Add("a", "topic " + std::to_string(i), start);
  surplus.Add("b", "topic", start + Surplus::kEvery);
  EXPECT_TRUE(surplus.Take(start, false).empty());
  const auto due = surplus.Take(start + Surplus::kEvery, false);
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].messages, 1000u);
  EXPECT_EQ(due[0].topic, "topic 0");
  EXPECT_EQ(surplus.Take(start + Surplus::kEvery, true).size(), 1u);
  EXPECT_TRUE(surplus.empty());
}

}  // namespace
}  // namespace registry::ingest
