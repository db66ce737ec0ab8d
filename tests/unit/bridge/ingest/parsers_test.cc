// What the parsers promise: each sender's order, a bound on what is ahead, and a stop that finishes what it can.
#include "bridge/ingest/parsers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>

namespace registry::ingest {
namespace {

using std::chrono::seconds;

Arrived From(const std::string& sender, Intake::Ticket number) {
  return {number, sender, 100, {"topic", "payload", "", ""}};
}

std::uint64_t Nothing() { return 0; }

TEST(Parsers, EachSendersOrderIsKept) {
  std::mutex mutex;
  std::map<std::string, std::vector<Intake::Ticket>> handled;
  Parsers parsers(1000, Nothing, [&](const Arrived& it) {
    const std::lock_guard lock(mutex);
    handled[it.sender].push_back(it.ticket);
    return false;
  });
  parsers.Start();
  for (Intake::Ticket i = 0; i < 3000; ++i)
    parsers.Add(From(std::string(1, static_cast<char>('a' + i % 3)), i));
  parsers.Stop(seconds(20));
  ASSERT_EQ(handled.size(), 3u);
  for (const auto& [sender, tickets] : handled) {
    EXPECT_EQ(tickets.size(), 1000u);
    EXPECT_TRUE(std::is_sorted(tickets.begin(), tickets.end()));
  }
}

// What came apart stands before what its sender said later, one by one under the same bound as everything.
TEST(Parsers, WhatComesApartIsHandledInItsOrderBeforeTheNext) {
  constexpr std::size_t kParts = 50, kAhead = 4;
  std::mutex mutex;
  std::vector<Intake::Ticket> handled;
  std::atomic<std::size_t> ahead{0};
  Parsers parsers(kAhead, Nothing, [&](const Arrived& it) -> Handled {
    if (it.ticket == 0 && !it.place) {
      std::vector<Arrived> parts;
      for (std::size_t i = 0; i < kParts; ++i) {
        parts.push_back(From(it.sender, i));
        parts.back().place = i;
      }
      return parts;
    }
    const std::lock_guard lock(mutex);
    handled.push_back(it.ticket);
    ++ahead;
    return true;
  });
  parsers.Add(From("a", 0));
  parsers.Add(From("a", kParts));
  parsers.Start();
  for (std::size_t through = 0; through <= kParts; ++through) {
    while (ahead <= through) std::this_thread::yield();
    EXPECT_LE(ahead, through + kAhead);
    parsers.Done("a");
  }
  parsers.Stop(seconds(20));
  ASSERT_EQ(handled.size(), kParts + 1);
  EXPECT_TRUE(std::is_sorted(handled.begin(), handled.end()));
}

TEST(Parsers, OneSendersMuchWaitsHereAndAnotherGoesPast) {
  std::atomic<int> ahead{0};
  std::promise<void> other;
  Parsers parsers(4, Nothing, [&](const Arrived& it) {
    if (it.sender == "b") {
      other.set_value();
    } else {
      ++ahead;
    }
    return true;
  });
  for (Intake::Ticket i = 0; i < 100; ++i) parsers.Add(From("a", i));
  parsers.Add(From("b", 0));
  parsers.Start();
  ASSERT_EQ(other.get_future().wait_for(seconds(20)), std::future_status::ready);
  while (ahead < 4) std::this_thread::yield();
  EXPECT_EQ(parsers.waiting(), 96u);
  for (int through = 0; through < 100; ++through) {
    while (ahead <= through) std::this_thread::yield();
    EXPECT_LE(ahead, through + 4);
    parsers.Done("a");
  }
  parsers.Done("b");
  EXPECT_EQ(ahead, 100);
}

TEST(Parsers, WhileManyRepliesWaitASenderHasLittleAhead) {
  std::atomic<std::size_t> ahead{0};
  Parsers parsers(
      50, [] { return Parsers::kCrowd; }, [&](const Arrived&) { return ++ahead > 0; });
  for (Intake::Ticket i = 0; i < 100; ++i) parsers.Add(From("a", i));
  parsers.Start();
  while (ahead < 50) std::this_thread::yield();
  for (std::size_t through = 1; through <= 100; ++through) {
    parsers.Done("a");
    const std::size_t expected =
        std::min<std::size_t>(100, std::max<std::size_t>(50, through + Parsers::kAheadCrowded));
    while (ahead < expected) std::this_thread::yield();
    EXPECT_EQ(ahead, expected);
  }
}

TEST(Parsers, AStopLeavesWhatItHasNoTimeFor) {
  std::atomic<int> handled{0};
  Parsers parsers(1, Nothing, [&](const Arrived&) { return ++handled > 0; });
  parsers.Start();
  for (Intake::Ticket i = 0; i < 10; ++i) parsers.Add(From("a", i));
  while (handled == 0) std::this_thread::yield();
  parsers.Stop(std::chrono::milliseconds(1));
  EXPECT_EQ(handled, 1) << "the others wait for one that is ahead";
  parsers.Add(From("a", 11));
  EXPECT_EQ(handled, 1);
}

}  // namespace
}  // namespace registry::ingest
