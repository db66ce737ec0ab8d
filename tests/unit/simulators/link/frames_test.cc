#include "simulators/link/frames.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <future>
#include <mutex>
#include <thread>

#include "tests/support/temporary_folder.h"

namespace registry::sim {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What arrived at one end, and a way to wait for it.
class Inbox {
 public:
  FrameHandler OnFrame() {
    return [this](const std::shared_ptr<Connection>& from, const json& frame) {
      const std::lock_guard lock(mutex_);
      last_from_ = from;
      frames_.push_back(frame);
      changed_.notify_all();
    };
  }
  CloseHandler OnClose() {
    return [this](const std::shared_ptr<Connection>&) {
      const std::lock_guard lock(mutex_);
      ++closed_;
      changed_.notify_all();
    };
  }
  bool WaitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(60), [&] { return frames_.size() >= count; });
  }
  bool WaitClosed(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(60), [&] { return closed_ >= count; });
  }
  std::vector<json> frames() {
    const std::lock_guard lock(mutex_);
    return frames_;
  }
  std::shared_ptr<Connection> last_from() {
    const std::lock_guard lock(mutex_);
    return last_from_;
  }
  void Forget() {
    const std::lock_guard lock(mutex_);
    last_from_.reset();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<json> frames_;
  std::shared_ptr<Connection> last_from_;
  int closed_ = 0;
};

class FramesTest : public testing::Test {
 protected:
  const test::TemporaryFolder folder_;
  const std::string path_ = folder_.In("radio");
};

json Numbered(int number) { return {{"t", "power_on"}, {"number", number}}; }

TEST_F(FramesTest, FramesArriveInOrderBothWays) {
  Inbox mno, device;
  auto listener = Listener::Open(path_, mno.OnFrame(), mno.OnClose());
  ASSERT_TRUE(listener.ok());
  auto dialled = Dial(path_, seconds(5), device.OnFrame(), device.OnClose());
  ASSERT_TRUE(dialled.ok());
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE((*dialled)->Send(Numbered(i), seconds(1)));
  ASSERT_TRUE(mno.WaitFor(2000));
  const auto frames = mno.frames();
  for (std::size_t i = 0; i < 2000; ++i) ASSERT_EQ(frames[i]["number"], i);
  ASSERT_TRUE(mno.last_from()->Send({{"t", "bootstrap"}}, seconds(1)));
  ASSERT_TRUE(device.WaitFor(1));
  mno.Forget();
}

TEST_F(FramesTest, ManySendersShareOneConnectionWithoutTearingFrames) {
  Inbox mno;
  auto listener = Listener::Open(path_, mno.OnFrame(), nullptr);
  auto dialled = Dial(path_, seconds(5), nullptr, nullptr);
  ASSERT_TRUE(listener.ok() && dialled.ok());
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 4; ++sender) {
    senders.emplace_back([&, sender] {
      for (int i = 0; i < 200; ++i) {
        (*dialled)->Send({{"t", "x"}, {"sender", sender}, {"pad", std::string(500, 'p')}}, seconds(5));
      }
    });
  }
  for (auto& sender : senders) sender.join();
  ASSERT_TRUE(mno.WaitFor(800));
  mno.Forget();
}

TEST_F(FramesTest, ALargestFramePassesAndALargerOneIsRefusedBySend) {
  Inbox mno;
  auto listener = Listener::Open(path_, mno.OnFrame(), nullptr);
  auto dialled = Dial(path_, seconds(5), nullptr, nullptr);
  ASSERT_TRUE(listener.ok() && dialled.ok());
  const std::size_t around = json{{"t", "x"}, {"pad", ""}}.dump().size();
  EXPECT_FALSE((*dialled)->Send({{"t", "x"}, {"pad", std::string(kFrameMax - around + 1, 'p')}}, seconds(1)));
  EXPECT_TRUE((*dialled)->Send({{"t", "x"}, {"pad", std::string(kFrameMax - around, 'p')}}, seconds(1)));
  EXPECT_TRUE(mno.WaitFor(1));
  mno.Forget();
}

// A handler holds its connection too, so whoever lets go of its own pointer knows nothing of the handler's end.
TEST_F(FramesTest, NoHandlerRunsAfterFinish) {
  Inbox mno;
  auto listener = Listener::Open(path_, mno.OnFrame(), nullptr);
  ASSERT_TRUE(listener.ok());
  for (int round = 0; round < 20; ++round) {
    std::promise<void> entered;
    int calls = 0;  // not atomic: ThreadSanitizer sees a handler that outlives Finish
    auto dialled = Dial(path_, seconds(5), nullptr, [&](const std::shared_ptr<Connection>& connection) {
      entered.set_value();
      for (int i = 0; i < 100; ++i) std::this_thread::yield();
      ++calls;
      connection->Finish();  // on its own thread: does not wait for itself
      ++calls;
    });
    ASSERT_TRUE(dialled.ok());
    (*dialled)->Close();
    ASSERT_EQ(entered.get_future().wait_for(seconds(60)), std::future_status::ready);
    (*dialled)->Finish();
    EXPECT_EQ(calls, 2);
  }
  mno.Forget();
}

TEST_F(FramesTest, BothEndsHearOfTheEnd) {
  Inbox mno, device;
  auto listener = Listener::Open(path_, mno.OnFrame(), mno.OnClose());
  auto dialled = Dial(path_, seconds(5), device.OnFrame(), device.OnClose());
  ASSERT_TRUE(listener.ok() && dialled.ok());
  ASSERT_TRUE((*dialled)->Send(Numbered(1), seconds(1)));
  ASSERT_TRUE(mno.WaitFor(1));
  (*dialled)->Close();
  EXPECT_TRUE(mno.WaitClosed(1));
  EXPECT_TRUE(device.WaitClosed(1));
  EXPECT_FALSE((*dialled)->Send(Numbered(2), milliseconds(10)));
  mno.Forget();
}

TEST_F(FramesTest, AConnectionMayBeDroppedByItsOwnHandler) {
  Inbox mno;
  std::shared_ptr<Connection> only_owner;
  std::mutex mutex;
  std::condition_variable dropped;
  bool done = false;
  auto listener = Listener::Open(
      path_,
      [](const auto& from, const json&) {
        from->Send({{"t", "y"}}, seconds(1));
      },
      mno.OnClose());
  ASSERT_TRUE(listener.ok());
  auto dialled = Dial(
      path_, seconds(5),
      [&](const std::shared_ptr<Connection>&, const json&) {
        const std::lock_guard lock(mutex);
        only_owner.reset();
        done = true;
        dropped.notify_all();
      },
      nullptr);
  ASSERT_TRUE(dialled.ok());
  {
    const std::lock_guard lock(mutex);
    only_owner = *dialled;
    dialled = std::shared_ptr<Connection>();
    only_owner->Send({{"t", "x"}}, seconds(1));
  }
  std::unique_lock lock(mutex);
  ASSERT_TRUE(dropped.wait_for(lock, seconds(60), [&] { return done; }));
  lock.unlock();
  EXPECT_TRUE(mno.WaitClosed(1));
}

TEST_F(FramesTest, FaultsLoseRepeatAndDelayByTheSeedAndNeverAlter) {
  Inbox mno;
  auto listener = Listener::Open(path_, mno.OnFrame(), mno.OnClose());
  Faults faults{.lose = 0.2, .repeat = 0.2, .delay_max = milliseconds(5), .seed = 7};
  auto dialled = Dial(path_, seconds(5), nullptr, nullptr, faults);
  ASSERT_TRUE(listener.ok() && dialled.ok());
  for (int i = 0; i < 500; ++i) ASSERT_TRUE((*dialled)->Send(Numbered(i), seconds(1)));
  ASSERT_TRUE(mno.WaitFor(300));
  std::map<int, int> times;
  for (const auto& frame : mno.frames()) ++times[frame["number"].get<int>()];
  EXPECT_LT(times.size(), 500u);
  EXPECT_TRUE(std::any_of(times.begin(), times.end(), [](const auto& entry) { return entry.second == 2; }));
  mno.Forget();
}

TEST_F(FramesTest, RubbishEndsTheConnectionAndHarmsNobodyElse) {
  Inbox mno;
  auto listener = Listener::Open(path_, mno.OnFrame(), mno.OnClose());
  auto good = Dial(path_, seconds(5), nullptr, nullptr);
  ASSERT_TRUE(listener.ok() && good.ok());
  const std::string rubbish[] = {std::string("\xff\xff\xff\xff", 4), std::string("\0\0\0\2[]", 6),
                                 std::string("\0\0\0\3{\"t", 7)};
  int closed = 0;
  for (const auto& octets : rubbish) {
    const int raw = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    ASSERT_EQ(::connect(raw, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::send(raw, octets.data(), octets.size(), 0), static_cast<ssize_t>(octets.size()));
    EXPECT_TRUE(mno.WaitClosed(++closed));
    ::close(raw);
  }
  ASSERT_TRUE((*good)->Send(Numbered(1), seconds(1)));
  EXPECT_TRUE(mno.WaitFor(1));
  mno.Forget();
}

TEST_F(FramesTest, DialSaysWhenNobodyListens) {
  const auto dialled = Dial(path_, milliseconds(50), nullptr, nullptr);
  ASSERT_FALSE(dialled.ok());
  EXPECT_EQ(dialled.error().symbol, "not_listening");
  EXPECT_EQ(Dial(std::string(200, 'x'), milliseconds(1), nullptr, nullptr).error().symbol, "socket_path");
}

}  // namespace
}  // namespace registry::sim
