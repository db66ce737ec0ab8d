#include "simulators/party/desks.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <thread>

#include "tests/support/temporary_folder.h"

namespace registry::sim {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

// An ASP's desk that notes a code only when told to. One of somebody else's making says rubbish as well, which ends the
// connection.
class Desk {
 public:
  explicit Desk(const std::string& socket, bool rubbish = true) : rubbish_(rubbish) {
    auto listener = Listener::Open(
        socket, [this](const std::shared_ptr<Connection>& from, const json& frame) { Take(from, frame); },
        nullptr);
    listener_ = std::move(*listener);
  }
  bool WaitFrames(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(60), [&] { return frames_ >= count; });
  }
  void NoteFromNowOn() {
    const std::lock_guard lock(mutex_);
    noting_ = true;
  }
  int frames() {
    const std::lock_guard lock(mutex_);
    return frames_;
  }
  json last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  void Take(const std::shared_ptr<Connection>& from, const json& frame) {
    const std::lock_guard lock(mutex_);
    ++frames_;
    last_ = frame;
    // It must not end the MNO.
    if (rubbish_) from->Send(json{{"t", 5}, {"device", json::array()}}, seconds(1));
    if (rubbish_) from->Send(json{{"t", "noted"}, {"device", 7}}, seconds(1));
    if (noting_) from->Send({{"t", "noted"}, {"device", frame["device"]}}, seconds(1));
    changed_.notify_all();
  }
  const bool rubbish_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int frames_ = 0;
  bool noting_ = false;
  json last_;
  std::unique_ptr<Listener> listener_;
};

class DesksTest : public testing::Test {
 protected:
  const test::TemporaryFolder folder_;
};

TEST_F(DesksTest, ACodeIsSaidAgainUntilItIsNotedEvenWhenTheDeskOpensLate) {
  Desks desks({{"asp-a", folder_.In("desk")}}, milliseconds(10));
  desks.HandOver("asp-a", {{"t", "authorisation"}, {"device", "d1"}, {"code", "secret"}});
  desks.HandOver("asp-z", {{"t", "authorisation"}, {"device", "d2"}, {"code", "nobody asks for it"}});
  Desk desk(folder_.In("desk"));
  ASSERT_TRUE(desk.WaitFrames(3));
  EXPECT_EQ(desk.last()["code"], "secret");
  desk.NoteFromNowOn();
  ASSERT_TRUE(desk.WaitFrames(desk.frames() + 1));
  // Another device's code passes after it; the noted one may be under way once more, no oftener.
  desks.HandOver("asp-a", {{"t", "authorisation"}, {"device", "d3"}, {"code", "other"}});
  const int before = desk.frames();
  ASSERT_TRUE(desk.WaitFrames(before));
  EXPECT_LE(desk.frames(), before + 3);
}

// The thread goes round: it has seen that nothing waits for asp-a and is with asp-b when a code for asp-a comes. That one
// must not wait until codes are said again.
TEST_F(DesksTest, NoCodeWaitsForTheNextRound) {
  Desk first(folder_.In("a"), false), second(folder_.In("b"), false);
  constexpr int kTimes = 400;
  for (int i = 0; i < kTimes; ++i) {
    Desks desks({{"asp-a", folder_.In("a")}, {"asp-b", folder_.In("b")}}, std::chrono::hours(1));
    const int before = first.frames();
    desks.HandOver("asp-b", {{"t", "authorisation"}, {"device", "d1"}, {"code", "c"}});
    for (int turn = 0; turn < i; ++turn) std::this_thread::yield();  // another moment each time
    desks.HandOver("asp-a", {{"t", "authorisation"}, {"device", "d2"}, {"code", "c"}});
    ASSERT_TRUE(first.WaitFrames(before + 1)) << "at the attempt " << i;
  }
}

}  // namespace
}  // namespace registry::sim
