// A thread that belongs to one object: it has a name, works while its owner lives, and hears of a stop wherever it waits.
#include "schemas/base/own_thread.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <fstream>
#include <future>
#include <string>

namespace registry {
namespace {

using namespace std::chrono_literals;

// The least an owner is: a queue, and a thread that empties it.
class Adder {
 public:
  void Start() {
    thread_.Start("adder", [this] { Run(); });
  }
  void Add(int number) {
    {
      const MutexLock lock(mutex_);
      queue_.push_back(number);
    }
    changed_.NotifyAll();
  }
  void Stop() { thread_.Stop(); }
  bool running() const { return thread_.running(); }
  int WaitForSum(int wanted) {
    MutexLock lock(mutex_);
    changed_.WaitFor(lock, 10s, [&]() REQUIRES(mutex_) { return sum_ >= wanted; });
    return sum_;
  }

 private:
  void Run() {
    MutexLock lock(mutex_);
    while (true) {
      thread_.Wait(lock, [this]() REQUIRES(mutex_) { return !queue_.empty(); });
      if (thread_.stopping()) return;
      sum_ += queue_.front();
      queue_.pop_front();
      changed_.NotifyAll();
    }
  }

  Mutex mutex_;
  CondVar changed_;
  std::deque<int> queue_ GUARDED_BY(mutex_);
  int sum_ GUARDED_BY(mutex_) = 0;
  OwnThread thread_{mutex_, changed_};
};

TEST(OwnThread, WorksUntilItIsStopped) {
  Adder adder;
  EXPECT_FALSE(adder.running());
  adder.Start();
  EXPECT_TRUE(adder.running());
  for (int i = 1; i <= 100; ++i) adder.Add(i);
  EXPECT_EQ(adder.WaitForSum(5050), 5050);
  adder.Stop();
  EXPECT_FALSE(adder.running());
}

TEST(OwnThread, AStopEndsAWaitForNothing) {
  Adder adder;
  adder.Start();
  adder.Stop();
  adder.Stop();
  EXPECT_FALSE(adder.running());
}

TEST(OwnThread, TheEndOfItsOwnerIsAStop) {
  std::atomic<int> ended{0};
  {
    Mutex mutex;
    CondVar changed;
    OwnThread thread(mutex, changed);
    thread.Start(
        "two",
        [&] {
          MutexLock lock(mutex);
          while (thread.Rest(lock, 1h)) continue;
          ++ended;
        },
        2);
  }
  EXPECT_EQ(ended, 2) << "one body each, and both have returned";
}

TEST(OwnThread, StartsAgainAfterAStop) {
  Adder adder;
  adder.Stop();  // before any start
  adder.Start();
  adder.Stop();
  adder.Start();
  adder.Add(7);
  EXPECT_EQ(adder.WaitForSum(7), 7);
}

TEST(OwnThread, IsWokenWhereverItWaits) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  OwnThread thread;
  bool told = false;
  thread.Start("reader", [&] {
    char octet = 0;
    ASSERT_EQ(::read(pipe[0], &octet, 1), 1);
    told = thread.stopping();
  });
  thread.Stop([&] { ASSERT_EQ(::write(pipe[1], "x", 1), 1); });
  EXPECT_TRUE(told) << "the stop is told before the wake";
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(OwnThread, HasItsName) {
  std::promise<std::string> heard;
  OwnThread thread;
  thread.Start("a name", [&] {
    std::string name;
    std::getline(std::ifstream("/proc/thread-self/comm"), name);
    heard.set_value(name);
  });
  EXPECT_EQ(heard.get_future().get(), "a name");
}

TEST(Mutex, IsHeldByOneAtATime) {
  Mutex mutex;
  int count = 0;
  const auto work = [&] {
    for (int i = 0; i < 1000; ++i) {
      const MutexLock lock(mutex);
      ++count;
    }
  };
  {
    OwnThread threads;
    threads.Start("counter", work, 4);
  }
  EXPECT_EQ(count, 4000);
  ASSERT_TRUE(mutex.TryLock());
  std::async(std::launch::async, [&] { EXPECT_FALSE(mutex.TryLock()); }).get();
  mutex.Unlock();
}

TEST(SharedMutex, ManyReadWhileNobodyWrites) {
  SharedMutex mutex;
  const ReadLock first(mutex);
  std::async(std::launch::async, [&] { const ReadLock second(mutex); }).get();  // returns
}

}  // namespace
}  // namespace registry
