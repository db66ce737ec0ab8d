// What the lanes promise: order by key, and whatever was let in is done before a stop that is given time.
#include "bridge/ingest/lanes.h"

#include <gtest/gtest.h>

#include <future>
#include <optional>

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

// A piece of work that goes on when somebody else says so, as the ledger does.
class Held {
 public:
  Lanes::StrandWork Work() {
    return [this](const Strand& strand) { begun_.set_value(strand); };
  }
  Strand Begun() { return begun_.get_future().get(); }

 private:
  std::promise<Strand> begun_;
};

TEST(Lanes, WhileAKeyIsHeldItsLaneWorksForOthers) {
  Held held;
  std::atomic<bool> second{false};
  std::promise<bool> other;  // whether the second had run before it
  Lanes lanes(1, 1000);
  ASSERT_TRUE(lanes.Post(1, "a", held.Work()));
  ASSERT_TRUE(lanes.Post(1, "a", [&] { second = true; }));
  ASSERT_TRUE(lanes.Post(2, "b", [&] { other.set_value(second); }));
  std::optional<Strand> strand = held.Begun();
  EXPECT_FALSE(other.get_future().get());
  EXPECT_GE(lanes.queued(), 2u);  // it counts as long as it holds its key
  strand.reset();
  lanes.Stop(seconds(20));
  EXPECT_TRUE(second);
}

TEST(Lanes, WhatGoesOnRunsOnTheLaneBeforeTheKeysNextPiece) {
  Held held;
  std::vector<std::string> done;  // by one lane only
  std::promise<std::thread::id> lane;
  Lanes lanes(1, 1000);
  ASSERT_TRUE(lanes.Post(1, "a", [&] { lane.set_value(std::this_thread::get_id()); }));
  const auto its_thread = lane.get_future().get();
  ASSERT_TRUE(lanes.Post(1, "a", held.Work()));
  ASSERT_TRUE(lanes.Post(1, "a", [&] { done.push_back("next"); }));
  {
    const Strand strand = held.Begun();
    strand.Then([&, strand] {
      done.push_back(std::this_thread::get_id() == its_thread ? "on its lane" : "elsewhere");
      strand.Then([&, strand] { done.push_back("again"); });
    });
  }
  lanes.Stop(seconds(20));
  EXPECT_EQ(done, (std::vector<std::string>{"on its lane", "again", "next"}));
}

TEST(Lanes, OneSendersMuchForAHeldKeyStandsBeforeNobodyElse) {
  Held held;
  std::vector<char> done;  // by one lane only
  std::promise<void> all_wait;
  Lanes lanes(1, 1000);
  ASSERT_TRUE(lanes.Post(0, "a", held.Work()));
  std::optional<Strand> strand = held.Begun();
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(lanes.Post(0, "a", [&] { done.push_back('a'); }));
  ASSERT_TRUE(lanes.Post(0, "b", [&] { done.push_back('b'); }));
  ASSERT_TRUE(
      lanes.Post(1, "a", [&] { all_wait.set_value(); }));  // behind them in a's line, and b is in turn
  all_wait.get_future().wait();
  strand.reset();
  lanes.Stop(seconds(20));
  ASSERT_EQ(done.size(), 501u);
  EXPECT_LE(std::find(done.begin(), done.end(), 'b') - done.begin(), 1);
}

TEST(Lanes, StopLetsWhatIsHeldGoOn) {
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> done{0};
    Held held;
    Lanes lanes(2, 1000);
    ASSERT_TRUE(lanes.Post(7, "a", held.Work()));
    ASSERT_TRUE(lanes.Post(7, "a", [&] { ++done; }));
    std::thread ledger([&done, strand = held.Begun()] {
      std::this_thread::yield();
      strand.Then([&done, strand] { ++done; });
    });
    lanes.Stop(seconds(20));
    EXPECT_EQ(done, 2) << "round " << round;
    ledger.join();
  }
}

TEST(Lanes, BehindTheDeadlineNothingBeginsAndTheStopWaitsForWhoHolds) {
  Held held;
  std::atomic<int> done{0};
  Lanes lanes(1, 1000);
  ASSERT_TRUE(lanes.Post(7, "a", held.Work()));
  ASSERT_TRUE(lanes.Post(7, "a", [&] { ++done; }));
  std::optional<Strand> strand = held.Begun();
  std::atomic<bool> stopped{false};
  std::thread stop([&] {
    lanes.Stop(std::chrono::milliseconds(0));
    stopped = true;
  });
  while (lanes.Post(9, "a", [] {})) std::this_thread::yield();
  EXPECT_FALSE(stopped);
  strand.reset();
  stop.join();
  EXPECT_EQ(done, 0);
  EXPECT_EQ(lanes.queued(), 0u);
}

}  // namespace
}  // namespace registry::ingest
