#include "simulators/party/desks.h"

#include <gtest/gtest.h>

#include <condition_variable>

#include "tests/support/temporary_folder.h"

namespace registry::sim {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

// An ASP's desk that notes a code only when told to.
class Desk {
 public:
  explicit Desk(const std::string& socket) {
    auto listener = Listener::Open(
        socket, [this](const std::shared_ptr<Connection>& from, const json& frame) { Take(from, frame); },
        nullptr);
    listener_ = std::move(*listener);
  }
  bool WaitFrames(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(10), [&] { return frames_ >= count; });
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
    // Rubbish first: a desk of somebody else's making must not end the MNO.
    from->Send(json{{"t", 5}, {"device", json::array()}}, seconds(1));
    from->Send(json{{"t", "noted"}, {"device", 7}}, seconds(1));
    if (noting_) from->Send({{"t", "noted"}, {"device", frame["device"]}}, seconds(1));
    changed_.notify_all();
  }
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

}  // namespace
}  // namespace registry::sim
