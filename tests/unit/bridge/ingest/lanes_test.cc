// What the lanes promise: order by key, and whatever was let in is done before a stop that is given time.
#include "bridge/ingest/lanes.h"

#include <gtest/gtest.h>

namespace registry::ingest {
namespace {

using std::chrono::seconds;

TEST(Lanes, WorkOfOneKeyKeepsItsOrder) {
  std::vector<int> done;  // by one lane only
  Lanes lanes(4, 1000);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(lanes.Post(7, "a", [&, i] { done.push_back(i); }));
  lanes.Stop(seconds(20));
  ASSERT_EQ(done.size(), 100u);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
}

// A Post let in at the very moment of the stop reaches its lane after the lane found itself idle.
TEST(Lanes, WhatWasLetInIsDoneThoughTheStopComesAtOnce) {
  for (int round = 0; round < 3000; ++round) {
    std::atomic<int> done{0};
    std::atomic<int> let_in{0};
    Lanes lanes(1, 1000);
    std::thread poster([&] {
      while (lanes.Post(0, "a", [&] { ++done; })) ++let_in;
    });
    while (let_in == 0) std::this_thread::yield();
    lanes.Stop(seconds(3));
    poster.join();
    ASSERT_EQ(done, let_in) << "round " << round;
    ASSERT_EQ(lanes.queued(), 0u) << "round " << round;
  }
}

TEST(Lanes, PostWaitsForRoomAndIsRefusedOnceStopping) {
  std::mutex gate;
  std::unique_lock shut(gate);
  Lanes lanes(1, 2);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(lanes.Post(0, "a", [&] { const std::lock_guard wait(gate); }));
  std::atomic<bool> answered{false}, answer{false};
  std::thread third([&] {
    answer = lanes.Post(0, "a", [] {});
    answered = true;
  });
  EXPECT_FALSE(answered);
  shut.unlock();
  third.join();
  EXPECT_TRUE(answer);
  lanes.Stop(seconds(20));
  EXPECT_FALSE(lanes.Post(0, "a", [] {}));
}

TEST(Lanes, OneSendersMuchStandsBeforeNobodyElse) {
  std::mutex gate;
  std::unique_lock shut(gate);
  std::vector<char> done;  // by one lane only
  Lanes lanes(1, 1000);
  ASSERT_TRUE(lanes.Post(0, "a", [&] { const std::lock_guard wait(gate); }));
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(lanes.Post(0, "a", [&] { done.push_back('a'); }));
  ASSERT_TRUE(lanes.Post(0, "b", [&] { done.push_back('b'); }));
  shut.unlock();
  lanes.Stop(seconds(20));
  ASSERT_EQ(done.size(), 501u);
  EXPECT_LE(std::find(done.begin(), done.end(), 'b') - done.begin(), 1);
}

}  // namespace
}  // namespace registry::ingest
