// Two slow MNOs on real servers: one says that it is at work, the other says nothing. The registry asks both as PARTY.md
// says: the first about once, the second on the plan of a silent one.
#include <gmock/gmock.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "tests/support/test_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr int kDevices = 6;  // three of each MNO
constexpr int kSlowness = 8000;

// What the simulators say, counted.
class Heard {
 public:
  void Hear(const std::string& program, const json& event) {
    const std::lock_guard lock(mutex_);
    const std::string what = event.value("event", "");
    if (what == "asked") {
      ++asked_[program][event.at("action").get<std::string>() + " " + event.at("job").get<std::string>()];
    }
    if (what == "notification" && event.at("type") == "device.activated") active_.insert(event.at("device"));
    changed_.notify_all();
  }
  bool AllActive(seconds deadline) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [this] { return active_.size() == kDevices; });
  }
  std::map<std::string, int> Asked(const std::string& mno) {
    const std::lock_guard lock(mutex_);
    return asked_[mno];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::map<std::string, int>> asked_;  // MNO -> action and job -> times
  std::set<std::string> active_;
};

int Sum(const std::map<std::string, int>& asked) {
  int sum = 0;
  for (const auto& [job, times] : asked) sum += times;
  return sum;
}

TEST(SlowMno, IsAskedAsThePlanSaysAndOnceWhenItReportsProgress) {
  Heard heard;
  LabOptions options;
  options.devices = kDevices;
  options.retry_first_seconds = 3;
  options.slow_mnos = {SlowMno{kSlowness, 500}, SlowMno{kSlowness, 0}};
  options.on_event = [&heard](const std::string& program, const json& event) { heard.Hear(program, event); };
  const auto whole = test::NewWholeLab(std::move(options));
  ASSERT_NE(whole, nullptr);
  Lab& lab = *whole;
  EXPECT_TRUE(heard.AllActive(seconds(120)));
  const auto failure = lab.TakeFailure();
  EXPECT_FALSE(failure) << *failure;
  lab.Stop();

  // Both took eight seconds and more for every job; the plan asks a silent one after three.
  const auto reporting = heard.Asked("mno-a"), silent = heard.Asked("mno-b");
  EXPECT_EQ(reporting.size(), 6u) << "a key and a payload of each device";
  EXPECT_EQ(silent.size(), 6u);
  // Its first report may still be on its way when the first three seconds have passed.
  for (const auto& [job, times] : reporting) EXPECT_LE(times, 2) << job;
  for (const auto& [job, times] : silent) {
    EXPECT_GE(times, 2) << job;
    EXPECT_LE(times, 6) << job;
  }
  RecordProperty("sent_to_the_one_that_reports", Sum(reporting));
  RecordProperty("sent_to_the_silent_one", Sum(silent));
  EXPECT_LT(Sum(reporting), Sum(silent));
}

}  // namespace
}  // namespace registry::lab
