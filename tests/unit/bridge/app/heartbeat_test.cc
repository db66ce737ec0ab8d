#include "bridge/app/heartbeat.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace registry::app {
namespace {

using namespace std::chrono_literals;

// A disk that answers when told to, and a clock that is moved.
class HeartbeatTest : public ::testing::Test {
 protected:
  Heartbeat::Options Options() {
    Heartbeat::Options options;
    options.every = 1ms;
    options.deadline = 5s;
    options.now = [this] { return Heartbeat::Clock::time_point(std::chrono::seconds(now_)); };
    return options;
  }
  Status Write() {
    std::unique_lock lock(mutex_);
    ++writes_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    if (broken_) return Error::Make(Code::kFailed, "ledger_failed", "scripted");
    return Done{};
  }
  void Set(bool held, bool broken) {
    std::lock_guard lock(mutex_);
    held_ = held;
    broken_ = broken;
    changed_.notify_all();
  }
  // Until the write that is under way now has come back and another one has begun.
  void PassAWrite() {
    std::unique_lock lock(mutex_);
    const int seen = writes_;
    ASSERT_TRUE(changed_.wait_for(lock, 20s, [&] { return writes_ >= seen + 2; }));
  }

  std::atomic<int> now_{100};
  std::mutex mutex_;
  std::condition_variable changed_;
  int writes_ = 0;
  bool held_ = false, broken_ = false;
  Heartbeat heartbeat_{Options(), [this] { return Write(); }};
};

TEST_F(HeartbeatTest, BeatsWhileWritesComeBack) {
  heartbeat_.Start();
  now_ += 60;
  PassAWrite();
  EXPECT_EQ(heartbeat_.state(), Pulse::kBeating);
}

TEST_F(HeartbeatTest, ADiskThatDoesNotAnswerIsStalledAndMayComeBack) {
  heartbeat_.Start();
  PassAWrite();
  Set(true, false);
  now_ += 4;
  EXPECT_EQ(heartbeat_.state(), Pulse::kBeating);
  now_ += 2;
  EXPECT_EQ(heartbeat_.state(), Pulse::kStalled);  // and asking did not wait for the disk
  Set(false, false);
  PassAWrite();
  EXPECT_EQ(heartbeat_.state(), Pulse::kBeating);
}

TEST_F(HeartbeatTest, ARefusedWriteIsForGood) {
  Set(false, true);
  heartbeat_.Start();
  {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, 20s, [&] { return writes_ == 1; }));
  }
  heartbeat_.Stop();
  EXPECT_EQ(heartbeat_.state(), Pulse::kRefused);
  now_ += 60;
  EXPECT_EQ(heartbeat_.state(), Pulse::kRefused);
}

}  // namespace
}  // namespace registry::app
