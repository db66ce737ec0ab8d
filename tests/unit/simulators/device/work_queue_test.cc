#include "simulators/device/work_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace registry::sim {
namespace {

using std::chrono::milliseconds;

TEST(WorkQueue, RunsEverythingOnItsThreads) {
  WorkQueue queue(4);
  std::atomic<int> done{0};
  std::promise<void> all;
  for (int i = 0; i < 1000; ++i) {
    queue.Post([&] {
      if (++done == 1000) all.set_value();
    });
  }
  EXPECT_EQ(all.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
}

TEST(WorkQueue, DelaysWithoutHoldingAThread) {
  WorkQueue queue(1);
  std::promise<int> first;
  std::promise<void> later;
  const auto begun = WorkQueue::Clock::now();
  queue.PostAfter(milliseconds(50), [&] { later.set_value(); });
  queue.Post([&] { first.set_value(1); });
  ASSERT_EQ(first.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  ASSERT_EQ(later.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  EXPECT_GE(WorkQueue::Clock::now() - begun, milliseconds(50));
}

TEST(WorkQueue, RefusesWhatIsOfferedBeyondItsRoomButNeverItsOwn) {
  WorkQueue queue(1, 2);
  std::promise<void> begun, go;
  std::atomic<int> done{0};
  std::promise<void> all;
  queue.Post([&] {
    begun.set_value();
    go.get_future().wait();
  });
  begun.get_future().wait();  // the only thread is taken: what follows waits
  const auto count = [&] {
    if (++done == 3) all.set_value();
  };
  EXPECT_TRUE(queue.Offer(count));
  EXPECT_TRUE(queue.Offer(count));
  EXPECT_FALSE(queue.Offer(count));
  queue.Post(count);
  go.set_value();
  EXPECT_EQ(all.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
}

TEST(WorkQueue, StopForgetsWhatWasNotDue) {
  std::atomic<bool> ran{false};
  {
    WorkQueue queue(2);
    queue.PostAfter(std::chrono::hours(1), [&] { ran = true; });
  }
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace registry::sim
